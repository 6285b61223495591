import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { USERS } from '../services/users.js';
import { ATTACKER_ADDRESSES, CLIENT_ADDRESSES, VICTIM_ADDRESSES } from '../topology.js';

const [, BOB] = USERS;
const SSH = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];

/** Answers ssh's questions for a password: twice with something else, then with the password. */
const MISTYPES = `#!/bin/sh
file=$ASKED/asked-$PPID
echo >> "$file"
[ "$(wc -l < "$file")" -lt 3 ] && echo mistyped || echo "$PASSWORD"
`;

/** Administrators who log in, work a little, and sometimes mistype their password twice before they get it right. */
const sshSessions: Scenario = {
  name: 'ssh-sessions',
  summary: 'ssh logins with short sessions; one in three mistypes the password twice',
  kind: 'benign',
  services: ['ssh'],
  run: async (context) => {
    const sessions = context.at({ slow: 3, normal: 8, fast: 20 });
    const login = async (source: string, password: string, work: string): Promise<void> => {
      const args = ['-p', password, 'ssh', '-b', source, ...SSH, `${BOB.name}@${context.victim.ip4}`, work];
      await context.benign({ sources: [source], targets: [context.victim.ip4] }, 'client', 'sshpass', args);
    };
    for (const [i, source] of context.clients(sessions).entries()) {
      const typos = i % 3 === 0 ? 2 : 0;
      for (let t = 0; t < typos; t++) await login(source, `${BOB.password}${context.random.integer(0, 9)}`, 'true');
      const seconds = context.random.integer(1, 3);
      await login(source, BOB.password, `for i in 1 2 3 4 5; do ls -l /etc; sleep 0.${seconds}; done`);
    }
  },
};

/** What looks like guessing while it lasts: an agent that offers key after key, a fleet of scripts, people who mistype at one time. */
const sshMany: Scenario = {
  name: 'ssh-many',
  summary: 'ssh logins, many at once: with the last of five keys, with a password, mistyped twice, with no right key',
  kind: 'benign',
  services: ['ssh'],
  run: async (context) => {
    const atOnce = context.at({ slow: 6, normal: 12, fast: 20 });
    const { dir } = context.lab;
    const keys = Array.from({ length: 5 }, (_, i) => join(dir, `key${i}`));
    for (const key of keys) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const trusted = join(dir, 'home', BOB.name, '.ssh');
    mkdirSync(trusted, { recursive: true });
    copyFileSync(`${keys.at(-1)!}.pub`, join(trusted, 'authorized_keys'));
    execFileSync('chown', ['-R', String(BOB.uid), trusted]);
    const [agent = '', script = '', people = '', old = ''] = context.clients(4);
    const to = `${BOB.name}@${context.victim.ip4}`;
    const many = async (source: string, count: number, command: string, args: string[], env = {}): Promise<void> => {
      const facts = { sources: [source], targets: [context.victim.ip4] };
      const login = () => context.benign(facts, 'client', command, args, { env });
      await Promise.all(Array.from({ length: count }, login));
    };
    const offer = (some: string[]) => [
      '-o',
      'IdentitiesOnly=yes',
      '-o',
      'BatchMode=yes',
      ...some.flatMap((k) => ['-i', k]),
    ];
    await many(agent, atOnce, 'ssh', ['-b', agent, ...SSH, ...offer(keys), to, 'ls']);
    await many(script, atOnce, 'sshpass', ['-p', BOB.password, 'ssh', '-b', script, ...SSH, to, 'ls']);
    const ask = join(dir, 'ask');
    writeFileSync(ask, MISTYPES, { mode: 0o755 });
    const typed = { SSH_ASKPASS: ask, SSH_ASKPASS_REQUIRE: 'force', ASKED: dir, PASSWORD: BOB.password };
    await many(people, 4, 'ssh', ['-b', people, ...SSH, to, 'ls'], typed);
    // Nothing of it works: the machine has no key that is still trusted.
    await many(old, 6, 'ssh', ['-b', old, ...SSH, ...offer(keys.slice(0, 4)), to, 'ls']);
  },
};

const backup: Scenario = {
  name: 'backup',
  summary: 'rsync over ssh copies a folder to the server, then only what changed',
  kind: 'benign',
  services: ['ssh'],
  run: async (context) => {
    const [source = ''] = context.clients();
    const folder = join(context.lab.dir, 'to-back-up');
    mkdirSync(folder, { recursive: true });
    const files = context.at({ slow: 10, normal: 40, fast: 100 });
    for (let i = 0; i < files; i++)
      writeFileSync(join(folder, `file${i}`), randomBytes(context.random.integer(1e4, 5e5)));
    const ssh = ['sshpass', '-p', BOB.password, 'ssh', '-b', source, ...SSH].join(' ');
    const args = [
      '-a',
      '--no-owner',
      '--no-group',
      '-e',
      ssh,
      `${folder}/`,
      `${BOB.name}@${context.victim.ip4}:backup/`,
    ];
    const facts = { sources: [source], targets: [context.victim.ip4] };
    await context.benign(facts, 'client', 'rsync', args);
    writeFileSync(join(folder, 'file0'), randomBytes(2e5));
    await context.benign(facts, 'client', 'rsync', args);
  },
};

/** Clients that look names up, a few of which do not exist. */
const lookups: Scenario = {
  name: 'dns-lookups',
  summary: 'ordinary names, some that do not exist, IPv4 and IPv6 addresses',
  kind: 'benign',
  services: ['dns'],
  run: (context) => clientTraffic(context, 'lookups', context.at({ slow: 5, normal: 20, fast: 40 })),
};

/** A monitoring system looks like a slow scanner of open ports that never stops. */
const monitoring: Scenario = {
  name: 'monitoring',
  summary: 'one system probes twelve ports, ping, HTTP and DNS of each server every few seconds',
  kind: 'benign',
  services: ['web', 'ssh', 'ftp', 'dns', 'mail'],
  run: (context) => clientTraffic(context, 'monitor', 1),
};

const stream: Scenario = {
  name: 'udp-stream',
  summary: 'calls and QUIC-like streams: steady UDP both ways',
  kind: 'benign',
  services: ['stream'],
  run: (context) => clientTraffic(context, 'udp-stream', context.at({ slow: 1, normal: 4, fast: 10 })),
};

async function clientTraffic(context: ScenarioContext, program: string, clients: number): Promise<void> {
  const sources = context.clients(clients);
  const facts = { label: 'benign', malicious: false, sources, targets: [context.victim.ip4] };
  await context.traffic(facts, 'client', program, { sources, target: context.victim.ip4 });
}

const downloads: Scenario = {
  name: 'downloads',
  summary: 'packages from a mirror over HTTP, HTTPS and FTP, and a video at its own pace',
  kind: 'benign',
  services: ['web', 'ftp'],
  run: async (context) => {
    const { ip4, ip6 } = context.victim;
    const curl = async (source: string, target: string, ...args: string[]): Promise<void> => {
      const all = ['-s', '-k', '-o', '/dev/null', '-m', '60', '--interface', source, ...args];
      await context.benign({ sources: [source], targets: [target] }, 'client', 'curl', all);
    };
    const rate = ['--limit-rate', context.at({ slow: '1M', normal: '10M', fast: '100M' })];
    const [a = '', b = '', c = ''] = context.clients(3);
    const six = context.lab.hosts.client.ip6;
    await Promise.all([
      curl(a, ip4, ...rate, `http://${ip4}/package.tar`),
      curl(b, ip4, ...rate, `https://${ip4}/package.tar`),
      curl(c, ip4, `http://${ip4}/video.bin`),
      curl(six, ip6, ...rate, `http://[${ip6}]/package.tar`),
    ]);
    await curl(a, ip4, '-T', `${context.lab.dir}/www/image3.jpg`, '-u', `${BOB.name}:${BOB.password}`, `ftp://${ip4}/`);
    await curl(a, ip4, '-u', `${BOB.name}:${BOB.password}`, `ftp://${ip4}/image3.jpg`);
  },
};

/** Two load balancers look every second whether each server still answers, and hang up. */
const healthChecks: Scenario = {
  name: 'health-checks',
  summary: 'load balancers connect to six services of each server every second and hang up',
  kind: 'benign',
  services: ['web', 'ssh', 'ftp'],
  run: async (context) => {
    const sources = context.clients(2);
    const targets = VICTIM_ADDRESSES.slice(0, context.at({ slow: 2, normal: 6, fast: 12 }));
    const facts = { label: 'benign', malicious: false, sources, targets };
    await context.traffic(facts, 'client', 'health-check', { sources, target: targets.join(',') });
  },
};

/** Apps and hubs of a smart home ask their bridge several times a second, and connect anew each time. */
const polling: Scenario = {
  name: 'app-polling',
  summary: 'apps poll a small HTTP or HTTPS interface, each question on a connection of its own',
  kind: 'benign',
  services: ['web'],
  run: async (context) => {
    const sources = context.clients(context.at({ slow: 4, normal: 6, fast: 6 }));
    const facts = { label: 'benign', malicious: false, sources, targets: [context.victim.ip4] };
    const pauseMs = context.at({ slow: 1500, normal: 300, fast: 60 });
    await context.traffic(facts, 'client', 'poll', { sources, target: context.victim.ip4, pauseMs });
  },
};

/** Printers, speakers and laptops announce themselves to everybody. */
const discovery: Scenario = {
  name: 'discovery',
  summary: 'mDNS, SSDP, LLMNR and WS-Discovery by multicast, NetBIOS by broadcast',
  kind: 'benign',
  services: [],
  run: async (context) => {
    const sources = context.clients(context.at({ slow: 5, normal: 15, fast: 25 }));
    const facts = { label: 'benign', malicious: false, sources, targets: [] };
    await context.traffic(facts, 'client', 'discovery', { sources, target: '' });
  },
};

/** File sharing from the inside: hundreds of peers, most of them gone, looks like a sweep of many ports. */
const peerToPeer: Scenario = {
  name: 'peer-to-peer',
  summary: 'inside hosts ask hundreds of outside peers, each on its own port; few of them answer',
  kind: 'benign',
  services: [],
  run: async (context) => {
    const sources = context.random.sample([...VICTIM_ADDRESSES], context.at({ slow: 2, normal: 4, fast: 8 }));
    const peers = [...CLIENT_ADDRESSES, ...ATTACKER_ADDRESSES];
    const facts = { label: 'benign', malicious: false, sources, targets: [] };
    const settings = { sources, peers, target: '' };
    await Promise.all([
      context.traffic(facts, 'client', 'peers', { ...settings, answer: true }),
      context.traffic(facts, 'victim', 'peers', { ...settings, answer: false }),
    ]);
  },
};

/** People and programs that look whether a host is there; some are not. */
const pings: Scenario = {
  name: 'pings',
  summary: 'ping of servers that answer and of some that do not, once or twice a second',
  kind: 'benign',
  services: [],
  run: async (context) => {
    const sources = context.clients(context.at({ slow: 2, normal: 5, fast: 8 }));
    const ping = async (source: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        const target =
          context.random.next() < 0.8 ? context.random.sample([...VICTIM_ADDRESSES], 1)[0]! : '10.77.128.77';
        const size = String(context.random.integer(16, 1400));
        const pause = String(context.random.integer(5, 10) / 10);
        const args = [
          '-I',
          source,
          '-c',
          String(context.random.integer(2, 6)),
          '-i',
          pause,
          '-W',
          '1',
          '-s',
          size,
          target,
        ];
        await context.benign({ sources: [source], targets: [target] }, 'client', 'ping', args);
      }
    };
    await Promise.all(sources.map(ping));
  },
};

const gitClones: Scenario = {
  name: 'git-clone',
  summary: 'developers clone a repository over ssh, several times a minute',
  kind: 'benign',
  services: ['ssh'],
  run: async (context) => {
    const repository = join(context.lab.dir, 'project');
    const git = (...args: string[]): void => {
      const identity = ['-c', 'user.name=lab', '-c', 'user.email=lab@lab.example', '-c', 'safe.directory=*'];
      execFileSync('git', [...identity, '-C', repository, ...args], { stdio: 'ignore' });
    };
    mkdirSync(repository, { recursive: true });
    git('init', '-q');
    for (let i = 0; i < 50; i++) writeFileSync(join(repository, `file${i}`), randomBytes(20_000));
    git('add', '.');
    git('commit', '-qm', 'all');
    execFileSync('chmod', ['-R', 'a+rX', repository]);
    const clones = context.at({ slow: 3, normal: 10, fast: 25 });
    for (const [i, source] of context.clients(clones).entries()) {
      const ssh = ['sshpass', '-p', BOB.password, 'ssh', '-b', source, ...SSH].join(' ');
      const url = `ssh://${BOB.name}@${context.victim.ip4}${repository}`;
      const serve = ['-c', 'safe.directory=*', '-u', "git -c safe.directory='*' upload-pack"];
      const args = [
        '-c',
        `core.sshCommand=${ssh}`,
        'clone',
        '-q',
        ...serve.slice(2),
        url,
        join(context.lab.dir, `clone${i}`),
      ];
      await context.benign({ sources: [source], targets: [context.victim.ip4] }, 'client', 'git', args);
    }
  },
};

export const everyday: readonly Scenario[] = [
  sshSessions,
  sshMany,
  backup,
  lookups,
  monitoring,
  healthChecks,
  polling,
  discovery,
  peerToPeer,
  pings,
  gitClones,
  downloads,
  stream,
];
