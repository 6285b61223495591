import type { FlowRecord } from '../domain/flow.js';
import { cidrContains, formatIp, parseCidr, parseIp, type Cidr } from '../util/ip.js';
import type { BlastRadius } from './guards.js';

const MAX_PEERS = 64;

interface AddressFlows {
  benignFlows: number;
  peers: Set<string>;
  lastMs: number;
}

/**
 * Counts, for each outside address, established flows with inside hosts, so that a block can tell how many ordinary
 * users share the address. Bounded: the address that was quiet longest is forgotten first. Peers are counted up to 64.
 */
export interface BlastTracker {
  note(flow: FlowRecord): void;
  /** An alert names the address: what it did so far is no longer counted as benign. */
  condemn(address: string): void;
  radius(network: Cidr, nowMs: number): BlastRadius | undefined;
  readonly size: number;
}

export interface BlastTrackerOptions {
  maxAddresses: number;
  /** Flows older than this do not count, milliseconds. */
  windowMs: number;
  homeNetworks: readonly string[];
}

export function createBlastTracker(options: BlastTrackerOptions): BlastTracker {
  const home = options.homeNetworks.map(parseCidr).filter((c): c is Cidr => c !== undefined);
  const flows = new Map<string, AddressFlows>();
  const inside = (address: string): boolean => {
    const ip = parseIp(address);
    return ip !== undefined && home.some((net) => cidrContains(net, ip));
  };

  function touch(address: string, peer: string, endMs: number): void {
    let entry = flows.get(address);
    if (entry) flows.delete(address);
    else if (flows.size >= options.maxAddresses) {
      const oldest = flows.keys().next().value;
      if (oldest !== undefined) flows.delete(oldest);
    }
    if (!entry || endMs - entry.lastMs > options.windowMs) entry = { benignFlows: 0, peers: new Set(), lastMs: endMs };
    entry.benignFlows++;
    if (entry.peers.size < MAX_PEERS) entry.peers.add(peer);
    entry.lastMs = endMs;
    flows.set(address, entry);
  }

  return {
    note(flow) {
      const answered = flow.payloadFwd > 0 && flow.payloadBwd > 0;
      if (!answered) return;
      const srcInside = inside(flow.srcIp);
      const dstInside = inside(flow.dstIp);
      if (srcInside === dstInside) return;
      if (dstInside) touch(flow.srcIp, flow.dstIp, flow.endUs / 1000);
      else touch(flow.dstIp, flow.srcIp, flow.endUs / 1000);
    },
    condemn(address) {
      flows.delete(address);
    },
    radius(network, nowMs) {
      const full = network.version === 4 ? 32 : 128;
      const result: BlastRadius = { benignFlows: 0, benignPeers: 0 };
      const peers = new Set<string>();
      const add = (entry: AddressFlows | undefined): void => {
        if (!entry || nowMs - entry.lastMs > options.windowMs) return;
        result.benignFlows += entry.benignFlows;
        for (const peer of entry.peers) peers.add(peer);
      };
      if (network.prefix === full) add(flows.get(formatIp(network)));
      else {
        for (const [address, entry] of flows) {
          const ip = parseIp(address);
          if (ip && cidrContains(network, ip)) add(entry);
        }
      }
      result.benignPeers = peers.size;
      return result.benignFlows === 0 ? undefined : result;
    },
    get size() {
      return flows.size;
    },
  };
}
