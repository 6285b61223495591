import type { Scenario } from '../scenario.js';
import { VICTIM_NETWORK } from '../topology.js';

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

/** One question to every address of the victim's network. */
export const sweeps: readonly Scenario[] = [
  sweep('icmp', 'echo requests to a /24', ['-sn', '-PE', '--disable-arp-ping']),
  sweep('tcp', 'SYNs to port 22 of a /24', ['-Pn', '-sS', '-p', '22']),
  sweep('udp', 'SNMP requests to a /24', ['-Pn', '-sU', '-p', '161']),
];
