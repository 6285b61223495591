import { z } from 'zod';
import type { LoadedConfig } from '../../config/index.js';
import type { AllowEntry, ProtectedEntry } from '../../domain/decision.js';
import { AllowNames } from '../../enforce/index.js';
import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { createExemptions, type Exemptions } from './decisions.js';
import type { Outlets } from './outlets.js';
import { sessionEntries, siemPeers } from './peers.js';

/** What allowed names stood for when the server last ran. */
const namesSchema = z.record(z.string(), z.array(z.string()));

/** Who is never blocked: the protected set as the responder reports it, the allowlist with its names, and our own peers. */
export interface ExemptBook {
  exemptions: Exemptions;
  /** The allowlist with its names resolved, for a responder. */
  allowed(): AllowEntry[];
  /** Addresses that the server knows must be protected: SIEM, database, people at the console, the fleet. */
  peers(): ProtectedEntry[];
  /** Reads the allowlist again and tells the responders. */
  refresh(): Promise<void>;
  /** The destinations follow this configuration now. */
  follow(config: LoadedConfig): Promise<void>;
  /** NATS servers and members of the fleet. */
  setFleet(entries: readonly ProtectedEntry[]): void;
  addSession(session: { user: string; address: string; expiresMs: number }): void;
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
  let fixed = await siemPeers(config);
  let fleet: readonly ProtectedEntry[] = [];
  const peers = (): ProtectedEntry[] => [...fixed, ...fleet, ...sessions.entries(Date.now())];
  function tellPeers(): void {
    exemptions.setPeers(peers());
    outlets.toResponders({ type: 'protect', entries: peers() });
  }
  exemptions.setPeers(peers());
  return {
    exemptions,
    allowed: () => withAddresses(names.entries()),
    peers,
    async refresh() {
      const entries = await store.allowlist.active(Date.now());
      tellResponders(entries);
      await names.set(entries);
    },
    async follow(next) {
      fixed = await siemPeers(next);
      tellPeers();
    },
    setFleet(entries) {
      fleet = entries;
      tellPeers();
    },
    addSession({ user, address, expiresMs }) {
      sessions.add(user, address, expiresMs);
      tellPeers();
    },
    close() {
      names.stop();
    },
  };
}
