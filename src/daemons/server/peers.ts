import { lookup } from 'node:dns/promises';
import type { LoadedConfig } from '../../config/index.js';
import type { ProtectedEntry } from '../../domain/decision.js';
import { canonicalAddress } from '../../util/ip.js';

/** Addresses of the SIEM receivers, of senders of findings and of the database, which must never be blocked. Names that do not resolve are left out. */
export async function siemPeers(config: LoadedConfig): Promise<ProtectedEntry[]> {
  const wanted: { host: string; reason: ProtectedEntry['reason']; detail: string }[] = [];
  for (const destination of config.siem.destinations) {
    const host = hostOf(destination);
    if (host !== undefined) wanted.push({ host, reason: 'siem', detail: `destination ${destination.name}` });
  }
  for (const { name, allow_from: senders } of config.ingest.sources) {
    const hosts = senders.filter((sender) => !sender.includes('/') || /\/(32|128)$/.test(sender));
    for (const host of hosts)
      wanted.push({ host: host.replace(/\/.*$/, ''), reason: 'siem', detail: `source ${name}` });
  }
  if (config.store.kind === 'mysql') wanted.push({ host: config.store.host, reason: 'database', detail: 'store.host' });
  const found = await Promise.all(
    wanted.map(async ({ host, reason, detail }) => {
      const literal = canonicalAddress(host);
      const addresses =
        literal === undefined ? await lookup(host, { all: true }).catch(() => []) : [{ address: literal }];
      return addresses.map(({ address }): ProtectedEntry => ({ value: address, reason, detail }));
    }),
  );
  return found.flat();
}

function hostOf(destination: LoadedConfig['siem']['destinations'][number]): string | undefined {
  if (destination.url !== undefined)
    return URL.canParse(destination.url) ? new URL(destination.url).hostname.replace(/^\[|\]$/g, '') : undefined;
  return destination.transport?.host;
}

/** Addresses of the fleet's NATS servers, host:port each: a box must not cut itself off. */
export async function fleetPeers(servers: readonly string[]): Promise<ProtectedEntry[]> {
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

/** Addresses of people who are logged in to the console, protected until their session ends. Bounded. */
export function sessionEntries(): {
  add(user: string, address: string, expiresMs: number): void;
  entries(nowMs: number): ProtectedEntry[];
} {
  const sessions = new Map<string, { user: string; expiresMs: number }>();
  return {
    add(user, address, expiresMs) {
      const value = canonicalAddress(address);
      if (value === undefined) return;
      sessions.delete(value);
      if (sessions.size >= 256) {
        const oldest = sessions.keys().next().value;
        if (oldest !== undefined) sessions.delete(oldest);
      }
      sessions.set(value, { user, expiresMs });
    },
    entries(nowMs) {
      for (const [address, session] of sessions) if (session.expiresMs <= nowMs) sessions.delete(address);
      return [...sessions].map(([value, { user }]) => ({
        value,
        reason: 'console_session',
        detail: `console session of ${user}`,
      }));
    },
  };
}
