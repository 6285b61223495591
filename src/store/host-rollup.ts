import type { FlowRecord } from '../domain/flow.js';
import { cidrContains, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import type { HostHourRow } from './entities/host.js';

const HOUR_MS = 3_600_000;
/** Hosts counted in an hour; the first to come stay, so a flood of made-up inside addresses pushes nobody out. */
const MAX_HOSTS = 5000;
/** Peers counted of one host; more count as this many. */
const MAX_PEERS = 1000;
/** Addresses whose networks are remembered. */
const MAX_KNOWN = 50_000;

interface Hour extends HostHourRow {
  others: Set<string>;
}

/** Adds flows up by hour and host of the own networks. */
export interface HostRollup {
  add(flow: FlowRecord): void;
  /** What changed since the last call: sums to add, and the peers of the hour so far. */
  take(): HostHourRow[];
}

export function createHostRollup(homeNetworks: readonly string[]): HostRollup {
  const home = homeNetworks.map(parseCidr).filter((cidr): cidr is Cidr => cidr !== undefined);
  const own = new Map<string, boolean>();
  let hourMs = 0;
  let hosts = new Map<string, Hour>();
  let closed: HostHourRow[] = [];

  function isOwn(address: string): boolean {
    const known = own.get(address);
    if (known !== undefined) return known;
    const ip = parseIp(address);
    const answer = ip !== undefined && home.some((net) => net.version === ip.version && cidrContains(net, ip));
    if (own.size >= MAX_KNOWN) own.clear();
    own.set(address, answer);
    return answer;
  }

  function rows(): HostHourRow[] {
    const changed: HostHourRow[] = [];
    for (const hour of hosts.values()) {
      if (hour.flows === 0) continue;
      const { others, ...row } = hour;
      changed.push({ ...row, peers: others.size });
      hour.flows = hour.bytesIn = hour.bytesOut = 0;
    }
    return changed;
  }

  function count(address: string, peer: string, sums: { in: number; out: number }, lastMs: number): void {
    let hour = hosts.get(address);
    if (!hour) {
      if (hosts.size >= MAX_HOSTS) return;
      hour = { address, atMs: hourMs, flows: 0, bytesIn: 0, bytesOut: 0, peers: 0, lastMs, others: new Set() };
      hosts.set(address, hour);
    }
    hour.flows++;
    hour.bytesIn += sums.in;
    hour.bytesOut += sums.out;
    hour.lastMs = Math.max(hour.lastMs, lastMs);
    if (hour.others.size < MAX_PEERS) hour.others.add(peer);
  }

  return {
    add({ srcIp, dstIp, bytesFwd, bytesBwd, endUs }) {
      const lastMs = Math.floor(endUs / 1000);
      const current = lastMs - (lastMs % HOUR_MS);
      if (current > hourMs) {
        closed.push(...rows());
        hosts = new Map();
        hourMs = current;
      }
      if (isOwn(srcIp)) count(srcIp, dstIp, { in: bytesBwd, out: bytesFwd }, lastMs);
      if (isOwn(dstIp)) count(dstIp, srcIp, { in: bytesFwd, out: bytesBwd }, lastMs);
    },
    take() {
      const all = [...closed, ...rows()];
      closed = [];
      return all;
    },
  };
}
