import type { Decision } from '../domain/decision.js';
import { nowUs } from '../util/clock.js';
import { silentLogger } from '../util/logger.js';
import { createDryRunBackend } from './backend/dry-run-backend.js';
import type { Core } from './core.js';
import { DecisionBook } from './decisions.js';
import { createLayout } from './layout.js';
import { Ledger } from './ledger.js';
import type { EnforceOptions } from './options.js';
import { Pump } from './pump.js';

/** A responder's way from a decision to its report, beside the real one: nothing reaches the kernel, the journal or the server. */
export interface WarmUpRun {
  /** Carries the decision out in memory, and lifts it again. */
  take(decision: Decision): Promise<void>;
  /** Reports made so far. */
  readonly reports: number;
}

/** The first real decision must not be the first that the compiler sees: cold code takes several times as long. */
export async function openWarmUpRun(options: EnforceOptions): Promise<WarmUpRun> {
  const layout = createLayout(options);
  const backend = createDryRunBackend();
  await backend.replace(layout, []);
  let reports = 0;
  const ignore = (): void => undefined;
  // No pauses between transactions, and no guard against many.
  const pump = new Pump(1e-6, {
    apply: (ops) => backend.apply(layout, ops),
    rebuild: () => Promise.resolve(0),
    nowMs: () => performance.now(),
    onError: ignore,
    held: (id) => core.ledger.get(id),
    afterBatch: () => book.flushOutbox(),
  });
  const core: Core = {
    options: { ...options, guard: { ...options.guard, max_changes_per_minute: Number.MAX_SAFE_INTEGER } },
    layout,
    backend,
    ledger: new Ledger(),
    pump,
    clock: { monoMs: () => performance.now(), wallMs: () => Date.now(), us: nowUs },
    log: silentLogger,
    emit: {
      report(made) {
        reports += made.length;
      },
      state: ignore,
      hits: ignore,
      incident: ignore,
    },
    journal: undefined,
    isLoaded: true,
    connections: undefined,
    missing: new Set(),
    counts: { applied: 0, rejected: 0, failed: 0, expired: 0, revoked: 0, simulated: 0, healed: 0, rebuilds: 0 },
  };
  const book = new DecisionBook(core, () => ({ protected: [], allowed: [] }));
  return {
    async take(decision) {
      book.decide(decision);
      await pump.idle();
      book.release(decision.id, 'warm-up');
      await pump.idle();
    },
    get reports() {
      return reports;
    },
  };
}
