import { ipBatch, makeNetns, netnsName, removeNetns } from '../netns.js';

/** The attacker's addresses before box 1. */
export const ATTACKERS: readonly string[] = Array.from({ length: 150 }, (_, i) => `203.0.113.${i + 66}`);
/** Box 1, as the attacker sees it. */
export const BOX_WAN = '203.0.113.1';

/** Where a NATS server listens; nodes count from 0. */
export const nodeAddress = (node: number): string => `10.78.0.${11 + node}`;

/**
 * The network of a fleet on one machine: a hub with a bridge, every box a namespace with a link to it, an attacker behind box 1.
 * What happens on one link is seen by that box only.
 */
export class FleetNet {
  private static count = 100;
  readonly hub: string;
  readonly attacker: string;
  /** Namespaces of the boxes, which count from 0. */
  readonly boxes: readonly string[];
  private readonly namespaces: string[] = [];

  constructor({ boxes, nodes }: { boxes: number; nodes: number }) {
    const id = FleetNet.count++;
    const make = (host: string): string => {
      const name = netnsName(id, host);
      makeNetns(name, { 'net.ipv4.conf.all.rp_filter': '0' });
      this.namespaces.push(name);
      return name;
    };
    this.hub = make('hub');
    this.attacker = make('attacker');
    const bridge = [
      'link add br0 type bridge',
      'address add 10.78.0.1/24 dev br0',
      'link set br0 up',
      'link set lo up',
    ];
    ipBatch(
      [...bridge, ...Array.from({ length: nodes }, (_, i) => `address add ${nodeAddress(i)}/24 dev br0`)],
      this.hub,
    );
    this.boxes = Array.from({ length: boxes }, (_, i) => {
      const netns = make(`box${i + 1}`);
      this.link(netns, i);
      return netns;
    });
  }

  /** Cuts a box off, as a broken uplink would: packets vanish. */
  partition(box: number, cut: boolean): void {
    ipBatch([`link set up${box} ${cut ? 'down' : 'up'}`], this.hub);
  }

  close(): void {
    this.namespaces.forEach(removeNetns);
  }

  private link(netns: string, box: number): void {
    ipBatch([`link add up${box} netns ${this.hub} type veth peer name up0 netns ${netns}`]);
    ipBatch([`link set up${box} master br0`, `link set up${box} up`], this.hub);
    ipBatch(['link set lo up', `address add 10.78.0.${101 + box}/24 dev up0`, 'link set up0 up'], netns);
    if (box > 0) {
      ipBatch(['link add wan0 type veth peer name quiet0', 'link set quiet0 up', 'link set wan0 up'], netns);
      return;
    }
    ipBatch([`link add wan0 netns ${netns} type veth peer name eth0 netns ${this.attacker}`]);
    ipBatch([`address add ${BOX_WAN}/24 dev wan0`, 'link set wan0 up'], netns);
    const own = ATTACKERS.map((ip) => `address add ${ip}/24 dev eth0`);
    ipBatch(['link set lo up', 'link set eth0 up', ...own], this.attacker);
  }
}
