import type { BacktestReport } from '../../contract/http.js';
import type { ProtectedEntry } from '../../domain/decision.js';
import { createBacktest, type Policy, type PolicyOptions } from '../../policy/index.js';
import type { Store } from '../../store/index.js';
import { toBacktestReport } from './report.js';
import { rescoreAlerts } from './rescore.js';
import { offenderLabels, readStored } from './stored.js';

export interface StoredBacktest {
  active: readonly Policy[];
  candidate?: readonly Policy[];
  options: PolicyOptions;
  protected: readonly ProtectedEntry[];
  /** Model that the candidate side judges the alerts with. */
  model?: string;
  sinceMs: number;
  untilMs: number;
}

/** Judges the stored alerts again; flows come in between, in order of time. @param progress 0..1 */
export async function backtestStored(
  store: Store,
  what: StoredBacktest,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<BacktestReport & { rescored?: number; otherSchema?: number }> {
  const past = await readStored(store, what, (share) => progress(share * 0.8), signal);
  const test = createBacktest({
    active: what.active,
    ...(what.candidate === undefined ? {} : { candidate: what.candidate }),
    options: what.options,
    protected: what.protected,
    allowed: await store.allowlist.active(0),
    label: offenderLabels(past.alerts),
  });
  const rescoring = what.model === undefined ? undefined : await rescoreAlerts(what.model, past.alerts);
  let nextFlow = 0;
  for (const [i, alert] of past.alerts.entries()) {
    for (let flow = past.flows[nextFlow]; flow && flow.endUs / 1000 <= alert.lastMs; flow = past.flows[++nextFlow]) {
      test.flow(flow);
    }
    test.alert(alert, rescoring?.changed.has(alert.id) ? rescoring.changed.get(alert.id) : alert);
    if (i % 1000 === 0) progress(0.8 + (0.2 * i) / past.alerts.length);
  }
  for (const flow of past.flows.slice(nextFlow)) test.flow(flow);
  const { changed: _changed, ...counts } = rescoring ?? { changed: undefined };
  return { ...toBacktestReport(test.result(), what), ...counts };
}
