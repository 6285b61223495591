import { setPriority } from 'node:os';
import type { BacktestReport } from '../../contract/http.js';
import type { ProtectedEntry } from '../../domain/decision.js';
import type { Policy, PolicyOptions } from '../../policy/index.js';
import { openStore, type StoreOptions } from '../../store/index.js';
import { errorMessage } from '../../util/errors.js';
import { backtestStored } from './run-stored.js';

/** What the server gives the process of a backtest. */
export interface BacktestOrder {
  store: StoreOptions;
  options: PolicyOptions;
  active: Policy[];
  candidate: Policy[] | null;
  protected: ProtectedEntry[];
  sinceMs: number;
  untilMs: number;
}

export type BacktestTold =
  { type: 'progress'; share: number } | { type: 'done'; report: BacktestReport } | { type: 'failed'; message: string };

const LOWEST_PRIORITY = 19;

function tell(message: BacktestTold): void {
  process.send?.(message);
}

/** A process of its own at the lowest priority: however much there is to judge, no live block waits for it. */
async function work(order: BacktestOrder): Promise<void> {
  setPriority(LOWEST_PRIORITY);
  const store = await openStore({ ...order.store, thread: false });
  try {
    const { candidate, ...rest } = order;
    const what = candidate === null ? rest : { ...rest, candidate };
    const report = await backtestStored(store, what, (share) => tell({ type: 'progress', share }));
    tell({ type: 'done', report });
  } finally {
    await store.close();
  }
}

process.once('message', (order: BacktestOrder) => {
  work(order)
    .catch((error: unknown) => tell({ type: 'failed', message: errorMessage(error) }))
    .finally(() => process.disconnect());
});
