import type { EnforcementReport, ProtectedEntry } from '../domain/decision.js';
import type { Severity } from '../domain/severity.js';
import type { Logger } from '../util/logger.js';
import type { EnforceBackend } from './backend/backend.js';
import type { ConnectionCleaner } from './connections.js';
import type { Journal } from './journal.js';
import type { Layout } from './layout.js';
import type { Ledger } from './ledger.js';
import type { EnforceOptions } from './options.js';
import type { Pump } from './pump.js';

/** Clocks, given so that tests can move them. */
export interface Clock {
  /** Monotonic milliseconds: timeouts and deadlines. */
  monoMs(): number;
  /** Epoch milliseconds: what decisions carry. */
  wallMs(): number;
  /** Epoch microseconds: the latency trace. */
  us(): number;
}

export type StatValue = number | string | boolean;

export interface ResponderState {
  atMs: number;
  backend: string;
  /** Decisions that should be in force. */
  desired: number;
  /** Of these, with all their elements in the kernel as far as known. */
  enforced: number;
  protected: ProtectedEntry[];
  stats: Record<string, StatValue>;
}

export interface ResponderIncident {
  severity: Severity;
  code: string;
  message: string;
  details: Record<string, StatValue>;
}

/** How the responder speaks to the server. */
export interface ResponderEmit {
  report(reports: EnforcementReport[]): void;
  state(state: ResponderState): void;
  hits(hits: { decisionId: string; packets: number; bytes: number }[]): void;
  incident(incident: ResponderIncident): void;
}

/** What the parts of the responder share. */
export interface Core {
  options: EnforceOptions;
  layout: Layout;
  backend: EnforceBackend;
  ledger: Ledger;
  pump: Pump;
  clock: Clock;
  log: Logger;
  emit: ResponderEmit;
  journal: Journal | undefined;
  /** The table is or is being loaded: changes of the ledger need operations. Before, they are loaded with it. */
  isLoaded: boolean;
  /** Told of every block that is in force; present with `conntrack: delete`. */
  connections: ConnectionCleaner | undefined;
  /** Elements that the kernel is known not to hold although it should. */
  missing: Set<string>;
  counts: Record<
    'applied' | 'rejected' | 'failed' | 'expired' | 'revoked' | 'simulated' | 'healed' | 'rebuilds',
    number
  >;
}
