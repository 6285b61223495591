import type { Host, HostGraph, HostPeer, hostOperations } from '../../contract/http.js';
import { PROTO } from '../../domain/packet.js';
import type { HostHour, HostSummary, Store } from '../../store/index.js';
import { canonicalAddress, cidrContains, parseCidr, parseIp, type Cidr } from '../../util/ip.js';
import { userError } from '../errors.js';
import type { Handlers } from '../request.js';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const BASELINE_DAYS = 7;
/** A baseline of fewer hours would only repeat what happened lately. */
const MIN_BASELINE_HOURS = 12;
const MAX_FLOWS = 5000;
const MAX_PEERS = 100;
const MAX_SERVICES = 5;
const MAX_ALERTS = 1000;

interface Parts {
  store: Store;
  homeNetworks(): readonly string[];
  now(): number;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** What a host usually does in an hour, and how far its busiest hour of the last day lies above that. */
function baselineOf(hours: readonly HostHour[], nowMs: number): Host['baseline'] {
  const before = hours.filter((hour) => hour.atMs < nowMs - DAY_MS);
  const lately = hours.filter((hour) => hour.atMs >= nowMs - DAY_MS);
  if (before.length < MIN_BASELINE_HOURS) return null;
  const bytesPerHour = median(before.map((hour) => hour.bytesIn + hour.bytesOut));
  const busiest = Math.max(0, ...lately.map((hour) => hour.bytesIn + hour.bytesOut));
  return {
    hours: before.length,
    bytesPerHour,
    flowsPerHour: median(before.map((hour) => hour.flows)),
    peersPerHour: median(before.map((hour) => hour.peers)),
    ratio: Math.round((busiest / Math.max(1, bytesPerHour)) * 100) / 100,
  };
}

const serviceOf = (proto: number, port: number): string =>
  `${proto === PROTO.TCP ? 'tcp' : proto === PROTO.UDP ? 'udp' : String(proto)}/${port}`;

export function hostHandlers({ store, homeNetworks, now }: Parts): Pick<Handlers, keyof typeof hostOperations> {
  function isOwn(address: string): boolean {
    const ip = parseIp(address);
    const home = homeNetworks()
      .map(parseCidr)
      .filter((cidr): cidr is Cidr => cidr !== undefined);
    return ip !== undefined && home.some((net) => net.version === ip.version && cidrContains(net, ip));
  }

  async function toHost(summary: HostSummary, hours: readonly HostHour[]): Promise<Host> {
    const mine = hours.filter((hour) => hour.address === summary.address);
    return {
      ...summary,
      firstMs: mine[0]?.atMs ?? summary.lastMs,
      alerts: await store.hosts.alerts(summary.address, now() - DAY_MS, MAX_ALERTS),
      baseline: baselineOf(mine, now()),
    };
  }

  return {
    async listHosts({ query }) {
      const words = (query.q ?? '').replaceAll('ip:', '').match(/\S+/g) ?? [];
      const offset = /^\d{1,9}$/.test(query.cursor ?? '0') ? Number(query.cursor ?? 0) : -1;
      if (offset < 0) {
        throw userError({ code: 'search.cursor', message: 'The cursor is not one that this server gave out.' });
      }
      const found = await store.hosts.list(now() - DAY_MS, {
        limit: query.limit + 1,
        offset,
        words: words.slice(0, 10),
      });
      const page = found.slice(0, query.limit);
      const hours = await store.hosts.hours(
        page.map(({ address }) => address),
        now() - (BASELINE_DAYS + 1) * DAY_MS,
      );
      return {
        items: await Promise.all(page.map((summary) => toHost(summary, hours))),
        nextCursor: found.length > query.limit ? String(offset + query.limit) : null,
      };
    },
    async getHost({ params, query }): Promise<HostGraph> {
      const address = canonicalAddress(params.address);
      if (address === undefined || parseIp(address) === undefined) {
        throw userError({
          code: 'request.bad_address',
          message: `"${params.address}" is not an address.`,
          fix: 'Write for example 203.0.113.7 or 2001:db8::1.',
        });
      }
      const [toMs, fromMs] = [now(), now() - query.minutes * 60_000];
      const flows = await store.hosts.flows(address, fromMs, MAX_FLOWS);
      const peers = new Map<string, HostPeer & { services_: Map<string, number> }>();
      for (const flow of flows) {
        const isSource = flow.srcIp === address;
        const other = isSource ? flow.dstIp : flow.srcIp;
        const firstMs = Math.floor(flow.startUs / 1000);
        const peer = peers.get(other) ?? {
          ...{ address: other, own: isOwn(other), flows: 0, bytesIn: 0, bytesOut: 0, services: [], firstMs },
          ...{ lastMs: flow.endMs, blocked: false, alerts: 0, services_: new Map<string, number>() },
        };
        peers.set(other, peer);
        peer.flows++;
        peer.bytesIn += isSource ? flow.bytesBwd : flow.bytesFwd;
        peer.bytesOut += isSource ? flow.bytesFwd : flow.bytesBwd;
        peer.firstMs = Math.min(peer.firstMs, firstMs);
        peer.lastMs = Math.max(peer.lastMs, flow.endMs);
        const service = serviceOf(flow.proto, flow.dstPort);
        peer.services_.set(service, (peer.services_.get(service) ?? 0) + 1);
      }
      const largest = [...peers.values()]
        .sort((a, b) => b.bytesIn + b.bytesOut - a.bytesIn - a.bytesOut)
        .slice(0, MAX_PEERS);
      const full = largest.map(async ({ services_, ...peer }) => ({
        ...peer,
        services: [...services_]
          .sort((a, b) => b[1] - a[1])
          .slice(0, MAX_SERVICES)
          .map(([name]) => name),
        blocked: (await store.decisions.ofAddress(peer.address, 5)).some(
          (d) => d.action === 'block' && d.enforcement === 'applied' && (d.expiresMs === 0 || d.expiresMs > toMs),
        ),
        alerts: peer.own ? 0 : await store.hosts.alerts(peer.address, fromMs, MAX_ALERTS),
      }));
      const hours = await store.hosts.hours([address], toMs - (BASELINE_DAYS + 1) * DAY_MS - (toMs % HOUR_MS));
      return {
        address,
        own: isOwn(address),
        fromMs,
        toMs,
        peers: await Promise.all(full),
        flows: flows.length,
        truncated: flows.length >= MAX_FLOWS,
        hours: hours.map(({ atMs, flows: n, bytesIn, bytesOut, peers: p }) => ({
          atMs,
          flows: n,
          bytesIn,
          bytesOut,
          peers: p,
        })),
      };
    },
  };
}
