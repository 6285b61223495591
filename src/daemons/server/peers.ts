import type { LoadedConfig } from '../../config/index.js';
import type { FleetPeer } from '../../contract/fleet.js';
import type { ProtectedEntry } from '../../domain/decision.js';
import { AllowNames, type Resolve } from '../../enforce/index.js';
import { parseHost } from '../../store/index.js';
import { canonicalAddress } from '../../util/ip.js';
import type { Logger } from '../../util/logger.js';

/** A machine that this box works with, by name or address. */
export interface WantedPeer {
  host: string;
  reason: ProtectedEntry['reason'];
  detail: string;
}

/** Receivers of the SIEM, senders of findings and hosts of the database: they must never be blocked. */
export function wantedPeers(config: LoadedConfig): WantedPeer[] {
  const wanted: WantedPeer[] = [];
  for (const destination of config.siem.destinations) {
    const host = hostOf(destination);
    if (host !== undefined) wanted.push({ host, reason: 'siem', detail: `destination ${destination.name}` });
  }
  for (const { name, allow_from: senders } of config.ingest.sources) {
    const hosts = senders.filter((sender) => !sender.includes('/') || /\/(32|128)$/.test(sender));
    for (const host of hosts)
      wanted.push({ host: host.replace(/\/.*$/, ''), reason: 'siem', detail: `source ${name}` });
  }
  const { kind, host, failoverHosts, port, socketPath } = config.store;
  if (kind === 'mysql' && socketPath === undefined) {
    wanted.push({ host: parseHost(host, port).host, reason: 'database', detail: 'store.host' });
    for (const text of failoverHosts)
      wanted.push({ host: parseHost(text, port).host, reason: 'database', detail: 'store.failover_hosts' });
  }
  return wanted;
}

/** Addresses of peers: those given at once, those of names as they become known. */
export interface PeerBook {
  follow(wanted: readonly WantedPeer[]): void;
  entries(): readonly ProtectedEntry[];
  /** What the names stand for, to seed another run with. */
  known(): Record<string, string[]>;
  close(): void;
}

interface PeerBookDeps {
  log: Logger;
  changed(): void;
  /** What the names stood for in an earlier run: a start without DNS protects what was protected. */
  seed?: Readonly<Record<string, readonly string[]>>;
  resolve?: Resolve;
}

/** Names are asked for again as those of the allowlist are, and keep their addresses while the resolver is away. */
export function createPeerBook({ log, changed, seed = {}, resolve }: PeerBookDeps): PeerBook {
  let wanted: readonly WantedPeer[] = [];
  let found: readonly ProtectedEntry[] = [];
  const names = new AllowNames({
    log,
    ...(resolve === undefined ? {} : { resolve }),
    onResolved(entries) {
      found = entries.flatMap(({ id, value }) => {
        const peer = wanted[Number(id)];
        return peer ? [{ value, reason: peer.reason, detail: peer.detail }] : [];
      });
      changed();
    },
  });
  names.seed(seed);
  return {
    follow(next) {
      wanted = next;
      void names.set(
        next.map(({ host, reason, detail }, i) => {
          const value = canonicalAddress(host) ?? host.toLowerCase();
          return { id: String(i), value, owner: reason, comment: detail, createdMs: 0, expiresMs: 0 };
        }),
      );
    },
    entries: () => found,
    known: () => names.known(),
    close: () => {
      names.stop();
    },
  };
}

function hostOf(destination: LoadedConfig['siem']['destinations'][number]): string | undefined {
  if (destination.url !== undefined)
    return URL.canParse(destination.url) ? new URL(destination.url).hostname.replace(/^\[|\]$/g, '') : undefined;
  return destination.transport?.host;
}

export interface ConsoleSession {
  user: string;
  address: string;
  /** Epoch milliseconds. */
  expiresMs: number;
}

/** Most addresses of the console that are protected at one time. */
export const MAX_SESSIONS = 256;
/** As many as a server may name. */
const MAX_PEERS = 512;
const MAX_DETAIL = 500;

/** Addresses of people who are logged in to the console, protected until their session ends. Bounded. */
export function sessionEntries(): {
  add(session: ConsoleSession): void;
  /** These are all there are. */
  replace(sessions: readonly ConsoleSession[]): void;
  entries(nowMs: number): FleetPeer[];
} {
  const sessions = new Map<string, { user: string; expiresMs: number }>();
  function add({ user, address, expiresMs }: ConsoleSession): void {
    const value = canonicalAddress(address);
    if (value === undefined) return;
    const known = sessions.get(value);
    sessions.delete(value);
    if (sessions.size >= MAX_SESSIONS) {
      const oldest = sessions.keys().next().value;
      if (oldest !== undefined) sessions.delete(oldest);
    }
    sessions.set(value, known && known.expiresMs > expiresMs ? known : { user, expiresMs });
  }
  return {
    add,
    replace(all) {
      sessions.clear();
      all.forEach(add);
    },
    entries(nowMs) {
      for (const [address, session] of sessions) if (session.expiresMs <= nowMs) sessions.delete(address);
      return [...sessions].map(([value, { user, expiresMs }]) => ({
        value,
        reason: 'console_session',
        detail: `console session of ${user}`,
        expiresMs,
      }));
    },
  };
}

const HOUR_MS = 3_600_000;

/**
 * What a server tells the other members of its own peers. Ends are told to the next full hour: a session that goes on is not
 * said anew each time.
 */
export function toFleetPeers(peers: readonly ProtectedEntry[], sessions: readonly FleetPeer[]): FleetPeer[] {
  const byValue = new Map<string, FleetPeer>();
  for (const { value, detail, reason } of peers) {
    byValue.set(value, { value, reason: reason === 'database' ? reason : 'siem', detail, expiresMs: 0 });
  }
  for (const peer of sessions) {
    const expiresMs = Math.ceil(peer.expiresMs / HOUR_MS) * HOUR_MS;
    if (!byValue.has(peer.value)) byValue.set(peer.value, { ...peer, expiresMs });
  }
  const first = [...byValue.values()].slice(0, MAX_PEERS);
  return first
    .map((peer) => ({ ...peer, detail: peer.detail.slice(0, MAX_DETAIL) }))
    .sort((a, b) => (a.value < b.value ? -1 : 1));
}
