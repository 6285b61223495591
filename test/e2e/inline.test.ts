import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { InlineDrop } from '../../src/contract/inline.js';
import { canonicalAddress } from '../../src/util/ip.js';
import type { InlineStatus } from '../../src/contract/http.js';
import { Box } from '../lab/box/box.js';
import { siemLine } from '../lab/box/cef.js';
import { openLab, type Lab } from '../lab/lab.js';
import { writeEtc } from '../lab/netns.js';
import { ADDRESS, CLIENT_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { Shuffler } from './inline/shuffler.js';

const { client: CLIENT, victim: VICTIM } = ADDRESS;
const [, SECOND = ''] = CLIENT_ADDRESSES;
const SQL = '/find?id=1%20union%20all%20select%20name%2cpassword%20from%20users';
/** Long enough that a busy machine is not taken for a dead daemon. */
const ALIVE_MS = 3000;
/** Datagrams that wait for a stopped daemon; its queue has room for 4096. */
const QUEUED = 2000;

/** What exploits the packet is stopped for; nobody is blocked, so that the same client goes on. */
const POLICY = `
format: 1
name: exploit
description: The packet of an exploit does not pass.
when:
  tiers: [signature]
  min_severity: medium
outcome: monitor
inline: { verdict: drop }
`;
const RULES = `
alert dns any any -> any 53 (msg:"Lookup of a hostile name"; dns.query; content:"mirror.lab.example"; nocase; classtype:trojan-activity; sid:1900001; rev:1;)
alert udp any any -> any 53 (msg:"Magic in a datagram"; content:"hostile-datagram"; classtype:trojan-activity; sid:1900002; rev:1;)
alert http any any -> any any (msg:"Only told"; http.uri; content:"/quiet"; noalert; classtype:trojan-activity; sid:1900003; rev:1;)
`;

let lab: Lab;
let box: Box;
let rulesFile: string;
before(async () => {
  lab = await openLab({ services: ['web', 'dns', 'syslog'] });
  // The box's resolver is protected, and the victim shall not be.
  writeEtc(lab.hosts.router.netns, 'resolv.conf', `nameserver ${ADDRESS.siem.ip4}\n`);
  rulesFile = join(lab.dir, 'inline.rules');
  const shipped = join(import.meta.dirname, '../../policies/rules');
  writeFileSync(rulesFile, RULES);
  const config = {
    detect: {
      signature: { rules: [rulesFile, ...['web-injection', 'web-files'].map((n) => join(shipped, `${n}.rules`))] },
    },
    // A busy machine shall not look like an overload.
    inline: {
      enabled: true,
      mode: 'enforce',
      alive_ms: ALIVE_MS,
      exclude: [SECOND],
      overload: { max_latency_ms: 30_000 },
    },
  };
  box = await Box.start(lab, { mode: 'enforce', policies: { 'exploit.yaml': POLICY }, config });
  await box.login();
  await waitFor('packets are judged', async () => {
    const { state } = await status();
    return state?.mode === 'enforce' && state.state === 'judging';
  });
});
after(() => lab?.close());

const status = () => box.api.get<InlineStatus>('/inline');
const drops = async () => (await box.api.get<{ items: InlineDrop[] }>('/inline/drops?limit=100')).items;
const webLog = (): string => {
  const file = join(lab.dir, 'nginx-access.log');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

interface Request {
  host?: string;
  headers?: string[];
  from?: string;
}

/** The status of an answer, or 000 when none came; on a busy machine an answer takes its time. */
async function get(path: string, request: Request = {}, withinSecs = 30): Promise<string> {
  const { host = VICTIM.ip4, headers = [], from = '' } = request;
  const name = host.includes(':') ? `[${host}]` : host;
  const args = ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-m', String(withinSecs)];
  if (from) args.push('--interface', from);
  const asked = await lab.hosts.client.run('curl', [
    ...args,
    ...headers.flatMap((h) => ['-H', h]),
    `http://${name}${path}`,
  ]);
  return asked.stdout;
}

/** True when no answer comes at once. */
const isUnanswered = async (path: string, request?: Request): Promise<boolean> =>
  (await get(path, request, 1.5)) === '000';

/** Whether a name is answered, or nothing comes back; anything else is an error of the lab. */
async function resolves(name: string, server: string = VICTIM.ip4): Promise<boolean> {
  const { stdout, stderr } = await lab.hosts.client.run('dig', ['+tries=1', '+time=3', `@${server}`, name]);
  if (stdout.includes('timed out') || stdout.includes('no servers could be reached')) return false;
  assert.match(stdout, new RegExp(`\\sA\\s+${VICTIM.ip4}\\n`), `${stdout}${stderr}`);
  return true;
}

test('an SQL injection and a shellshock header do not reach the web server, ordinary requests of the same client do', async () => {
  assert.equal(await get('/page1.html?marker=before'), '200');
  assert.ok(await isUnanswered(`${SQL}&marker=sql`));
  assert.ok(await isUnanswered('/page1.html?marker=shock', { headers: ['X-Test: () { :; }; /bin/id'] }));
  assert.ok(await isUnanswered(`${SQL}&marker=six`, { host: VICTIM.ip6 }));
  assert.equal(await get('/page1.html?marker=after'), '200');
  assert.equal(await get('/page1.html?marker=after6', { host: VICTIM.ip6 }), '200');
  const log = await waitFor('the log is written', () => (webLog().includes('marker=after6') ? webLog() : undefined));
  assert.match(log, /marker=before/);
  assert.doesNotMatch(log, /marker=(sql|shock|six)/);
});

test('what was stopped is told with rule and bytes: API, metrics and SIEM', async () => {
  const stopped = await waitFor('drops of both addresses', async () => {
    const all = await drops();
    return [CLIENT.ip4, canonicalAddress(CLIENT.ip6)].every((ip) => all.some((d) => d.srcIp === ip)) ? all : undefined;
  });
  const sql = stopped.find((d) => d.title.includes('UNION SELECT') && d.srcIp === CLIENT.ip4);
  assert.ok(
    sql && sql.packets >= 1 && sql.bytes > 100 && !sql.simulated && sql.policy === 'exploit',
    JSON.stringify(stopped),
  );
  await siemLine(
    lab,
    'the drop',
    /\|decision:block\|/,
    new RegExp(`src=${CLIENT.ip4} `),
    /UNION SELECT/,
    /cat=\/Response\/drop/,
  );
  await waitFor('the state tells of it', async () => {
    const { state } = await status();
    return state && state.latency.count > 0 && state.latency.p99Us > 0 && (state.counts['dropped'] ?? 0) >= 3;
  });
  const { state } = await status();
  assert.equal(state?.counts['kernel_unwatched_packets'], 0, 'nothing passed unjudged so far');
});

test('DNS and other datagrams: the hostile one does not pass, the next one does', async () => {
  assert.ok(await resolves('www.lab.example'));
  assert.equal(await resolves('mirror.lab.example'), false);
  assert.ok(await resolves('www.lab.example'));
  assert.equal(await resolves('mirror.lab.example', VICTIM.ip6), false);
});

test('an address that is excluded never reaches the queue', async () => {
  assert.equal(await get(`${SQL}&marker=excluded`, { from: SECOND }), '404');
});

test('a request in tiny, reordered and repeated segments is stopped, a harmless one like it is answered', async () => {
  const shuffler = await Shuffler.open(lab.hosts.client, 80);
  try {
    // Long enough for some fifty segments: TCP joins some of them when the machine is busy.
    const headers = `Host: x\r\nX-Padding: ${'.'.repeat(160)}\r\nConnection: close`;
    assert.match(await shuffler.send(`GET /page1.html?marker=shuffled HTTP/1.1\r\n${headers}\r\n\r\n`), / 200 /);
    assert.ok(shuffler.reordered > 3, `only ${shuffler.reordered} segments were reordered`);
    const answer = await shuffler.send(`GET ${SQL}&marker=shuffled-sql HTTP/1.1\r\nHost: x\r\n\r\n`);
    assert.equal(answer, '', JSON.stringify((await status()).state?.counts));
  } finally {
    shuffler.close();
  }
  assert.match(webLog(), /marker=shuffled /);
  // The server may note the piece of a request line that its client was cut off in (400, nothing sent): all but its end, at most.
  assert.doesNotMatch(webLog(), /shuffled-sql[^"]*" (?!400 0 )/);
});

/** What became of requests on standing connections, and of hostile ones beside them, while something is done to the judges. */
interface Load {
  answered: number;
  lost: number;
  broken: number;
  longestMs: number;
  stopped: number;
  passed: number;
}

async function underLoad(during: () => Promise<void>): Promise<Load> {
  const load = join(import.meta.dirname, 'inline/load.mjs');
  const args = [load, VICTIM.ip4, '80', '/page2.html', `${SQL}&marker=load`];
  const running = lab.hosts.client.start(process.execPath, args, { limitSecs: 300 });
  await running.waitForOutput(/running/);
  await during();
  const { stdout } = await running.stop();
  return JSON.parse(stdout.slice(stdout.indexOf('{'))) as Load;
}

test('rules are reloaded ten times under load: no connection is lost, none waits long, and nothing hostile passes', async () => {
  const count = (name: string) => async () => (await status()).state?.counts[name] ?? 0;
  const reloads = count('reloads');
  const load = await underLoad(async () => {
    for (let n = 1; n <= 10; n++) {
      const before = await reloads();
      // Each time a rule is there that was not, beside all that drop: the new set is another one.
      writeFileSync(rulesFile, RULES + RULES.split('\n')[2]!.replace('1900002', String(1_900_100 + n)) + '\n');
      await box.api.ask('POST', '/rules/reload', {});
      await waitFor(`reload ${n}`, async () => (await reloads()) > before);
    }
  });
  assert.deepEqual({ lost: load.lost, broken: load.broken, passed: load.passed }, { lost: 0, broken: 0, passed: 0 });
  assert.ok(load.answered > 200 && load.stopped > 10, JSON.stringify(load));
  // On a busy machine; docs/inline.md has the time on a quiet one.
  assert.ok(load.longestMs < 60_000, JSON.stringify(load));
  assert.equal(await count('unjudged')(), 0);
  assert.equal(await count('kernel_unwatched_packets')(), 0);
  assert.ok(await isUnanswered(`${SQL}&marker=reloaded`));
});

test('switched off and on under load, no connection is lost; in observe mode it is only counted', async () => {
  const load = await underLoad(async () => {
    for (const mode of ['off', 'observe', 'off', 'enforce', 'observe']) {
      const answer = await box.api.ask('PUT', '/inline/mode', { mode });
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      await waitFor(`mode ${mode}`, async () => (await status()).state?.mode === mode);
    }
  });
  assert.deepEqual({ lost: load.lost, broken: load.broken }, { lost: 0, broken: 0 }, JSON.stringify(load));
  assert.ok(load.answered > 100 && load.passed > 0, JSON.stringify(load));
  assert.equal(await get(`${SQL}&marker=observed`), '404');
  await waitFor('it is counted', async () => (await drops()).some((d) => d.simulated && d.title.includes('UNION')));
  await box.api.ask('PUT', '/inline/mode', { mode: 'enforce' });
  await waitFor('enforcing', async () => (await status()).state?.mode === 'enforce');
  assert.ok(await isUnanswered(`${SQL}&marker=again`));
});

test('a mode that nobody confirms is taken back', async () => {
  const { status: code } = await box.api.ask('PUT', '/inline/mode', { mode: 'observe', confirmSecs: 10 });
  assert.equal(code, 200);
  const { pending } = await status();
  assert.equal(pending?.kind, 'inline');
  const reverted = await box.api.ask('POST', `/changes/${pending.id}/revert`, {});
  assert.equal(reverted.status, 200, JSON.stringify(reverted.body));
  await waitFor('back', async () => (await status()).state?.mode === 'enforce');
});

test('a decision also stops packets that are queued already', async () => {
  const dropped = async () => (await status()).state?.counts['decision_drops'] ?? 0;
  const pid = await box.pidOf('inline');
  // More than the daemon reads before it hears what it was told meanwhile.
  const script = `const s = require('dgram').createSocket('udp4'); let left = ${QUEUED};
    process.on('SIGUSR1', () => { for (let i = 0; i < ${QUEUED}; i++) s.send('queued', 53, '${VICTIM.ip4}', () => --left || s.close()); });
    setTimeout(() => undefined, 120_000).unref(); s.bind(() => console.log('ready'));`;
  const flood = lab.hosts.client.start(process.execPath, ['-e', script], { limitSecs: 120 });
  await flood.waitForOutput(/ready/);
  let id: string;
  process.kill(pid, 'SIGSTOP');
  try {
    flood.signal('SIGUSR1');
    await waitFor('they wait', async () => {
      const { stdout } = await lab.hosts.router.run('cat', ['/proc/net/netfilter/nfnetlink_queue']);
      return Number(stdout.trim().split(/\s+/)[2]) >= QUEUED / 2;
    });
    const order = { value: CLIENT.ip4, durationSecs: 60, reason: 'caught' };
    const { status: code, body } = await box.api.ask<{ id: string }>('POST', '/decisions', order);
    assert.equal(code, 201, JSON.stringify(body));
    id = body.id;
    await waitFor('the kernel has it', async () =>
      (await lab.hosts.router.run('nft', ['list', 'ruleset'])).stdout.includes(CLIENT.ip4),
    );
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  try {
    await waitFor('those in the queue are dropped', async () => (await dropped()) > 0);
  } finally {
    await box.api.ask('DELETE', `/decisions/${id}`, { reason: 'a test' });
  }
  await waitFor('served again', async () => (await get('/page1.html?marker=freed')) === '200');
});

test('stopped and killed, traffic flows on within the stated time, everybody is told, and judging goes on', async () => {
  const pid = await box.pidOf('inline');
  process.kill(pid, 'SIGSTOP');
  try {
    await pause(ALIVE_MS + 100);
    assert.equal(await get('/page1.html?marker=stopped'), '200');
    await siemLine(lab, 'the silence', /The inline daemon shows no life/);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await siemLine(lab, 'the standstill', /Nobody judged packets for/);
  await waitFor('judged again', () => isUnanswered(SQL));
  process.kill(pid, 'SIGKILL');
  assert.equal(await get('/page1.html?marker=killed'), '200');
  await siemLine(lab, 'the end', /The inline daemon is gone/);
  await waitFor('judged by the next', () => isUnanswered(SQL));
});

test('ended in order, it leaves no rule', async () => {
  await box.process.stop('SIGTERM');
  const { stdout } = await lab.hosts.router.run('nft', ['list', 'ruleset']);
  assert.doesNotMatch(stdout, /portcullis_inline/i);
  assert.equal(await get('/page1.html?marker=end'), '200');
});
