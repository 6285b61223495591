import { networkInterfaces } from 'node:os';
import type { ProtectedEntry } from '../../domain/decision.js';
import type { FleetLink } from '../../fleet/index.js';
import { cidrContains, parseCidr } from '../../util/ip.js';
import { fleetPeers } from './peers.js';

const LOOK_EVERY_MS = 10_000;
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

/** What a fleet adds to the protected set of each member: its NATS servers, and the other members' own addresses. */
export interface FleetPeers {
  entries(): ProtectedEntry[];
  /** Members said other addresses. */
  changed(): void;
  /** Call once a second: says our own when they change. */
  tick(nowMs: number): void;
}

/** @param told what {@link FleetPeers.entries} answers is not what it was. */
export function createFleetPeers(link: () => FleetLink, told: (entries: ProtectedEntry[]) => void): FleetPeers {
  let nats: ProtectedEntry[] = [];
  let lastLookMs = -Infinity;
  let remember: ReturnType<typeof createAddressMemory> | undefined;

  function entries(): ProtectedEntry[] {
    const others = link().addresses.others();
    return [
      ...nats,
      ...others.map(({ member, address }) => ({ value: address, reason: 'member' as const, detail: member })),
    ];
  }

  return {
    entries,
    changed: () => told(entries()),
    tick(nowMs) {
      if (nowMs - lastLookMs < LOOK_EVERY_MS) return;
      const isFirst = lastLookMs === -Infinity;
      lastLookMs = nowMs;
      remember ??= createAddressMemory(link().addresses.own());
      link().addresses.set(remember(ownAddresses(), nowMs));
      if (!isFirst) return;
      void fleetPeers(link().servers).then((found) => {
        nats = found;
        told(entries());
      });
    },
  };
}
