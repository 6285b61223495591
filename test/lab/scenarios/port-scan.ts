import { execFileSync } from 'node:child_process';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { ROUTER_INTERFACES } from '../topology.js';

const TECHNIQUE = 'T1046';

/** Ports and timing of a scan at each speed; slow ones are cut to what fits into about a minute. */
const TIMING = {
  slow: { template: '-T2', ports: '20-95' },
  normal: { template: '-T3', ports: '1-1000' },
  fast: { template: '-T5', ports: '1-5000' },
};

function scan(kind: string, flag: string, summary: string, ports?: string): Scenario {
  return {
    name: `scan-${kind}`,
    summary,
    kind: 'attack',
    services: ['web', 'ssh'],
    run: (context) => nmap(context, [flag, ...(ports === undefined ? [] : ['-p', ports])]),
  };
}

async function nmap(context: ScenarioContext, flags: string[]): Promise<void> {
  const [source = ''] = context.attackers();
  const { template, ports } = context.at(TIMING);
  const range = flags.includes('-p') ? [] : ['-p', ports];
  // -S alone is not enough for connect scans of some versions; the route decides for them.
  context.useSource('attacker', source);
  const args = ['-n', '-Pn', template, ...flags, ...range, '-S', source, '-e', 'eth0', context.victim.ip4];
  await context.attack(
    { label: 'port_scan', technique: TECHNIQUE, sources: [source], targets: [context.victim.ip4] },
    'attacker',
    'nmap',
    args,
  );
}

const ipv6: Scenario = {
  name: 'scan-ipv6',
  summary: 'TCP SYN scan over IPv6',
  kind: 'attack',
  services: ['web', 'ssh'],
  run: async (context) => {
    const { template, ports } = context.at(TIMING);
    const facts = { label: 'port_scan', technique: TECHNIQUE };
    const [source, target] = [context.lab.hosts.attacker.ip6, context.victim.ip6];
    const args = ['-6', '-n', '-Pn', '-sS', template, '-p', ports, target];
    await context.attack({ ...facts, sources: [source], targets: [target] }, 'attacker', 'nmap', args);
  },
};

/** Each source asks for a few ports only: low and slow from many. */
const distributed: Scenario = {
  name: 'scan-distributed',
  summary: 'twenty sources of one /24 share a scan: about ten ports each',
  kind: 'attack',
  services: ['web', 'ssh'],
  run: async (context) => {
    const sources = context.attackers(20);
    for (const [i, source] of sources.entries()) {
      const ports = `${1 + 10 * i}-${10 + 10 * i}`;
      const args = ['-n', '-Pn', '-sS', '-T4', '-p', ports, '-S', source, '-e', 'eth0', context.victim.ip4];
      const facts = { label: 'network_scan', technique: TECHNIQUE, sources: [source], targets: [context.victim.ip4] };
      await context.attack(facts, 'attacker', 'nmap', args);
    }
  },
};

const masscan: Scenario = {
  name: 'scan-masscan',
  summary: 'masscan: SYNs with a network stack of its own',
  kind: 'attack',
  services: ['web', 'ssh'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const { ports } = context.at(TIMING);
    const rate = context.at({ slow: '5', normal: '500', fast: '5000' });
    const { ip4: gateway } = ROUTER_INTERFACES.wan0;
    const mac = execFileSync('ip', ['-n', context.lab.hosts.router.netns, '-br', 'link', 'show', 'wan0'], {
      encoding: 'utf8',
    });
    const args = [
      '-p', ports, '--rate', rate, '--wait', '2', '--adapter', 'eth0', '--adapter-ip', source,
      '--router-mac', mac.split(/\s+/)[2] ?? gateway, context.victim.ip4,
    ]; // prettier-ignore
    const facts = { label: 'port_scan', technique: TECHNIQUE, sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'masscan', args);
  },
};

/** Packets that open nothing, port after port at the pace of a clock. */
const crafted: Scenario = {
  name: 'scan-crafted',
  summary: 'hping3: FIN+PSH, then ACK, then UDP, one port after the other',
  kind: 'attack',
  services: ['web', 'ssh'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const facts = { label: 'port_scan', technique: TECHNIQUE, sources: [source], targets: [context.victim.ip4] };
    const { count, every } = context.at({
      slow: { count: '30', every: 'u700000' },
      normal: { count: '150', every: 'u100000' },
      fast: { count: '1000', every: 'u1000' },
    });
    for (const flags of [['-F', '-P'], ['-A'], ['--udp']]) {
      const args = ['-q', '-c', count, '-i', every, ...flags, '-a', source, '-p', '++20', context.victim.ip4];
      await context.attack(facts, 'attacker', 'hping3', args);
    }
  },
};

export const portScans: readonly Scenario[] = [
  scan('syn', '-sS', 'TCP SYN scan'),
  scan('connect', '-sT', 'TCP connect scan, full handshakes'),
  scan('null', '-sN', 'TCP scan without flags'),
  scan('fin', '-sF', 'TCP FIN scan'),
  scan('xmas', '-sX', 'TCP scan with FIN, PSH and URG'),
  scan('ack', '-sA', 'TCP ACK scan, which maps filters'),
  scan('maimon', '-sM', 'TCP FIN/ACK scan'),
  // The victim's kernel answers one closed UDP port a second, so few ports already take a while.
  scan('udp', '-sU', 'UDP scan', '53,67-69,111,123,135-139,161,162,445,500,514,520,631,1434,1900,4500'),
  scan('version', '-sV', 'service and version detection on the usual ports', '21-25,53,80,110,143,443'),
  ipv6,
  masscan,
  crafted,
  distributed,
];
