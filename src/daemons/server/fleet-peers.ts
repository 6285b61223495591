import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { ProtectedEntry } from '../../domain/decision.js';
import type { FleetLink } from '../../fleet/index.js';
import { canonicalAddress, cidrContains, parseCidr } from '../../util/ip.js';

const LOOK_EVERY_MS = 10_000;
/** Names of NATS servers are asked for again after this time, sooner while nothing is known of them. */
const RESOLVE_EVERY_MS = 300_000;
/** An interface without a link has no addresses for us, but a box whose link comes and goes is the same box. */
const KEEP_MS = 3_600_000;
/** As many as one member may name. */
const MAX_ADDRESSES = 32;
/** Every box has the same: they name nobody. */
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'].map((text) => parseCidr(text)!);

/** Addresses of this machine that another one may know it by. */
export function ownAddresses(interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces()): string[] {
  const found = Object.values(interfaces).flatMap((list) => list ?? []);
  const outside = found.filter(({ address, internal }) => {
    const own = parseCidr(address);
    return !internal && own !== undefined && !LINK_LOCAL.some((network) => cidrContains(network, own));
  });
  return [...new Set(outside.map(({ address }) => address))].sort();
}

/** A member that was taken over must not spare a whole network, or what every box has. */
function isOneHost(value: string): boolean {
  const network = parseCidr(value);
  if (network?.prefix !== (network?.version === 4 ? 32 : 128)) return false;
  return !LINK_LOCAL.some((local) => cidrContains(local, network!));
}

/** Addresses that this machine has, and those that it had within the last hour; the newest when they are too many. */
export function createAddressMemory(known: readonly string[]): (now: readonly string[], nowMs: number) => string[] {
  const seenMs = new Map<string, number>();
  return (now, nowMs) => {
    if (seenMs.size === 0) for (const address of known) seenMs.set(address, nowMs);
    for (const address of now) {
      seenMs.delete(address);
      seenMs.set(address, nowMs);
    }
    for (const [address, atMs] of seenMs) if (nowMs - atMs > KEEP_MS) seenMs.delete(address);
    return [...seenMs.keys()].slice(-MAX_ADDRESSES).sort();
  };
}

/** Addresses of the fleet's NATS servers, host:port each: a box must not cut itself off. */
async function fleetPeers(servers: readonly string[]): Promise<ProtectedEntry[]> {
  const hosts = servers.map((server) => server.replace(/:\d+$/, '').replace(/^\[|\]$/g, ''));
  const found = await Promise.all(
    hosts.map(async (host) => {
      const literal = canonicalAddress(host);
      const addresses =
        literal === undefined ? await lookup(host, { all: true }).catch(() => []) : [{ address: literal }];
      return addresses.map(({ address }): ProtectedEntry => ({ value: address, reason: 'bus', detail: 'NATS server' }));
    }),
  );
  return found.flat();
}

/**
 * What a fleet adds to the protected set of each member: its NATS servers, the other members' own addresses, whom servers
 * work with and who is at their consoles.
 */
export interface FleetPeers {
  entries(): ProtectedEntry[];
  /** Members said other addresses, or servers other peers. */
  changed(): void;
  /** Call once a second: says our own when they change, and tells when one of the others has ended. */
  tick(nowMs: number): void;
}

/** @param told what {@link FleetPeers.entries} answers is not what it was. */
export function createFleetPeers(link: () => FleetLink, told: (entries: ProtectedEntry[]) => void): FleetPeers {
  let nats: ProtectedEntry[] = [];
  let lastLookMs = -Infinity;
  let resolvedMs = -Infinity;
  let remember: ReturnType<typeof createAddressMemory> | undefined;
  let toldLast = '[]';

  function entries(): ProtectedEntry[] {
    const nowMs = Date.now();
    const members = link().addresses.others();
    const peers = link()
      .peers.others()
      .filter(({ peer }) => peer.expiresMs === 0 || peer.expiresMs > nowMs);
    const all: ProtectedEntry[] = [
      ...nats,
      ...members.map(({ member, address }) => ({ value: address, reason: 'member' as const, detail: member })),
      ...peers.map(({ server, peer: { value, reason, detail } }) => ({
        ...{ value, reason },
        detail: `${detail} (${server})`,
      })),
    ];
    return all.filter(({ value }) => isOneHost(value));
  }

  function tell(): void {
    const now = entries();
    const text = JSON.stringify(now);
    if (text === toldLast) return;
    toldLast = text;
    told(now);
  }

  return {
    entries,
    changed: tell,
    tick(nowMs) {
      if (nowMs - lastLookMs < LOOK_EVERY_MS) return;
      lastLookMs = nowMs;
      tell();
      remember ??= createAddressMemory(link().addresses.own());
      link().addresses.set(remember(ownAddresses(), nowMs));
      if (nats.length > 0 && nowMs - resolvedMs < RESOLVE_EVERY_MS) return;
      resolvedMs = nowMs;
      void fleetPeers(link().servers).then((found) => {
        // Losing DNS must not drop protection.
        if (found.length === 0 || JSON.stringify(found) === JSON.stringify(nats)) return;
        nats = found;
        tell();
      });
    },
  };
}
