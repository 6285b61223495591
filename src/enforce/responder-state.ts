import type { Core, ResponderState, StatValue } from './core.js';
import type { DecisionBook } from './decisions.js';
import type { ExemptBook } from './exempt.js';
import type { TableLoader } from './table-loader.js';

export interface StateParts {
  book: DecisionBook;
  exempt: ExemptBook;
  loader: TableLoader;
  /** Counters of the table as last read. */
  counters: Record<string, { packets: number; bytes: number }>;
  canary: Record<string, StatValue>;
}

/** What the responder tells of itself once a second. */
export function describeState(core: Core, parts: StateParts): ResponderState {
  const { book, exempt } = parts;
  const latency = book.latency.summary();
  return {
    atMs: core.clock.wallMs(),
    backend: core.backend.name,
    ...gauge(core, parts),
    protected: exempt.entries(),
    stats: {
      ...Object.fromEntries(Object.entries(core.counts).map(([k, v]) => [`decisions_${k}`, v])),
      elements: core.ledger.size,
      elements_missing: core.missing.size,
      queued: core.pump.queued,
      transactions: core.pump.transactions,
      rate_tripped: core.clock.monoMs() < book.rate.trippedUntilMs,
      allowed: exempt.allowed.length,
      connections_forgotten: core.connections?.forgotten ?? 0,
      latency_count: latency.count,
      latency_p50_us: Math.round(latency.p50Us),
      latency_p99_us: Math.round(latency.p99Us),
      ...parts.canary,
      ...Object.fromEntries(
        Object.entries(parts.counters).flatMap(([k, v]) => [
          [`${k}_packets`, v.packets],
          [`${k}_bytes`, v.bytes],
        ]),
      ),
    },
  };
}

/**
 * Decisions that should be in force, and those whose elements are in the kernel as far as known. Counted as they come and
 * go: to walk a list of a hundred thousand every second would hold up what is urgent.
 */
function gauge(core: Core, { book, loader }: StateParts): { desired: number; enforced: number } {
  const { desired, unapplied } = book.progress;
  let missing = unapplied;
  for (const id of new Set([...core.missing].flatMap((element) => core.ledger.holdersOf(element)))) {
    const entry = book.get(id);
    if (entry?.applied === true && !entry.simulated) missing += 1;
  }
  return { desired, enforced: loader.isIntact ? desired - missing : 0 };
}
