import { execFileSync } from 'node:child_process';
import type { Scenario, ScenarioContext } from '../scenario.js';
import { VICTIM_ADDRESSES, VICTIM_NETWORK } from '../topology.js';

const RATE = { slow: '5', normal: '100', fast: '1000' };

function sweep(kind: string, summary: string, flags: readonly string[]): Scenario {
  return {
    name: `sweep-${kind}`,
    summary,
    kind: 'attack',
    services: ['web', 'ssh'],
    run: async (context) => {
      const [source = ''] = context.attackers();
      const targets = context.at({ slow: '10.77.128.0/26', normal: VICTIM_NETWORK, fast: VICTIM_NETWORK });
      const pace = ['--max-rate', context.at(RATE), '--max-retries', '0'];
      const args = ['-n', ...flags, ...pace, '-S', source, '-e', 'eth0', targets];
      const facts = { label: 'host_sweep', technique: 'T1018', sources: [source], targets: [targets] };
      await context.attack(facts, 'attacker', 'nmap', args);
    },
  };
}

/** An infected device looks for others of its kind: most addresses are empty, nothing comes back. */
function worm(kind: string, summary: string, portsOf: (context: ScenarioContext) => string): Scenario {
  return {
    name: `sweep-${kind}-worm`,
    summary: `masscan: ${summary}`,
    kind: 'attack',
    services: [],
    run: async (context) => {
      const { lab } = context;
      const [source = ''] = context.random.sample([...VICTIM_ADDRESSES], 1);
      const link = ['-n', lab.hosts.router.netns, '-br', 'link', 'show', 'lan0'];
      const mac = execFileSync('ip', link, { encoding: 'utf8' }).split(/\s+/)[2] ?? '';
      const targets = context.at({ slow: '198.18.0.0/26', normal: '198.18.0.0/22', fast: '198.18.0.0/20' });
      const rate = context.at({ slow: '5', normal: '150', fast: '2000' });
      const args = [
        '-p', portsOf(context), '--rate', rate, '--wait', '1', '--adapter', 'eth0', '--adapter-ip', source,
        '--router-mac', mac, targets,
      ]; // prettier-ignore
      const facts = { label: 'host_sweep', technique: 'T1595.001', sources: [source], targets: [targets] };
      await context.attack(facts, 'victim', 'masscan', args);
    },
  };
}

/** One question to every address of the victim's network. */
export const sweeps: readonly Scenario[] = [
  sweep('icmp', 'echo requests to a /24', ['-sn', '-PE', '--disable-arp-ping']),
  sweep('tcp', 'SYNs to port 22 of a /24', ['-Pn', '-sS', '-p', '22']),
  sweep('udp', 'SNMP requests to a /24', ['-Pn', '-sU', '-p', '161']),
  worm('telnet', 'an inside device asks thousands of outside addresses for telnet, as Mirai does', () => '23,2323'),
  worm('udp', 'an inside device sends a datagram to thousands of outside addresses', (context) =>
    context.random.pick(['U:137', 'U:1434', 'U:5060', 'U:9999']),
  ),
];
