import { z } from 'zod';
import type { LoadedConfig } from '../../config/index.js';
import type { FleetPeer } from '../../contract/fleet.js';
import type { AllowEntry, ProtectedEntry } from '../../domain/decision.js';
import { AllowNames } from '../../enforce/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { createExemptions, type Exemptions } from './decisions.js';
import type { Outlets } from './outlets.js';
import {
  createPeerBook,
  MAX_SESSIONS,
  sessionEntries,
  toFleetPeers,
  wantedPeers,
  type ConsoleSession,
} from './peers.js';

/** What allowed names stood for when the server last ran. */
const namesSchema = z.record(z.string(), z.array(z.string()));

/** Who is never blocked: the protected set as the responder reports it, the allowlist with its names, and our own peers. */
export interface ExemptBook {
  exemptions: Exemptions;
  /** The allowlist with its names resolved, for a responder. */
  allowed(): AllowEntry[];
  /** Addresses that the server knows must be protected: SIEM, database, people at the console, the fleet. */
  peers(): ProtectedEntry[];
  /** Those of {@link peers} that this server has of itself, for the other members of a fleet. */
  ownPeers(): FleetPeer[];
  /** Reads the allowlist again and tells the responders. */
  refresh(): Promise<void>;
  /** The destinations follow this configuration now. */
  follow(config: LoadedConfig): Promise<void>;
  /** NATS servers and members of the fleet. */
  setFleet(entries: readonly ProtectedEntry[]): void;
  addSession(session: ConsoleSession): void;
  /** Sessions of the console have ended: their addresses are not protected any more. */
  sessionsEnded(): void;
  close(): void;
}

interface ExemptDeps {
  store: Store;
  outlets: Outlets;
  log: Logger;
}

export async function openExempt(config: LoadedConfig, { store, outlets, log }: ExemptDeps): Promise<ExemptBook> {
  const exemptions = createExemptions();
  let resolved: readonly AllowEntry[] = [];
  const names = new AllowNames({
    log,
    onResolved(entries) {
      resolved = entries;
      exemptions.setAllowed(entries);
      tellResponders(names.entries());
      void store.settings.set('allow_names', names.known(), 'server').catch((error: unknown) => {
        log.error({ err: error }, 'The addresses of allowed names were not stored.');
      });
    },
  });
  /** Names together with what they stand for: the sandbox of a responder need not reach a resolver. */
  const withAddresses = (given: readonly AllowEntry[]): AllowEntry[] => {
    const values = new Set(given.map((entry) => entry.value));
    const ids = new Set(given.map((entry) => entry.id));
    return [...given, ...resolved.filter((entry) => ids.has(entry.id) && !values.has(entry.value))];
  };
  function tellResponders(entries: readonly AllowEntry[]): void {
    outlets.toResponders({ type: 'allow', entries: withAddresses(entries) });
  }
  names.seed(namesSchema.safeParse(await store.settings.get('allow_names')).data ?? {});
  // The static part is in force when this returns; names follow, the resolver is not waited for.
  void names.set(await store.allowlist.active(Date.now()));
  const sessions = sessionEntries();
  let fleet: readonly ProtectedEntry[] = [];
  let told = '';
  const peers = (): ProtectedEntry[] => [
    ...peerBook.entries(),
    ...fleet,
    ...sessions.entries(Date.now()).map(({ value, reason, detail }) => ({ value, reason, detail })),
  ];
  function tellPeers(): void {
    const entries = peers();
    const text = JSON.stringify(entries);
    if (text === told) return;
    told = text;
    exemptions.setPeers(entries);
    outlets.toResponders({ type: 'protect', entries });
  }
  const peerBook = createPeerBook({
    log,
    seed: namesSchema.safeParse(await store.settings.get('peer_names')).data ?? {},
    changed() {
      tellPeers();
      void store.settings.set('peer_names', peerBook.known(), 'server').catch((error: unknown) => {
        log.error({ err: error }, 'The addresses of peers were not stored.');
      });
    },
  });
  let logins = 0;
  /** The sessions that the store knows; a login that comes while it is asked is not overlooked. */
  async function refreshSessions(): Promise<void> {
    for (let before = -1; before !== logins;) {
      before = logins;
      const { items } = await store.sessions.list({ limit: MAX_SESSIONS }, Date.now());
      if (before === logins) sessions.replace(items);
    }
    tellPeers();
  }
  peerBook.follow(wantedPeers(config));
  await refreshSessions();
  tellPeers();
  return {
    exemptions,
    allowed: () => withAddresses(names.entries()),
    peers,
    ownPeers: () => toFleetPeers(peerBook.entries(), sessions.entries(Date.now())),
    async refresh() {
      const entries = await store.allowlist.active(Date.now());
      tellResponders(entries);
      await names.set(entries);
      await refreshSessions();
    },
    follow(next) {
      peerBook.follow(wantedPeers(next));
      return Promise.resolve();
    },
    setFleet(entries) {
      fleet = entries;
      tellPeers();
    },
    addSession(session) {
      logins++;
      sessions.add(session);
      tellPeers();
    },
    sessionsEnded() {
      refreshSessions().catch((error: unknown) => {
        log.error({ err: error }, 'The sessions of the console were not read.');
      });
    },
    close() {
      names.stop();
      peerBook.close();
    },
  };
}
