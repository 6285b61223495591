import type { ModelDrift } from '../../contract/http.js';
import type { ScoredFlow } from '../../contract/ipc.js';
import type { SiemHealthEvent } from '../../domain/siem-event.js';
import type { ModelBook } from './models.js';
import { createDriftWatch } from './training-drift.js';

const CHECK_EVERY_MS = 300_000;
/** Thousands of vectors are compared: not for every request. */
const CACHE_MS = 10_000;

/** Drift of every champion, and the word to the SIEM when one begins or ends to alarm. */
export interface DriftAlarm {
  add(samples: readonly ScoredFlow[]): void;
  list(): ModelDrift[];
  /** Compares every five minutes. @returns true when it did. */
  tick(): boolean;
  metrics(): [name: string, value: number][];
}

export function createDriftAlarm(deps: {
  models: ModelBook;
  /** Newest vectors of a schema that are compared. */
  rows: number;
  now(): number;
  toSiem(status: SiemHealthEvent['status'], component: string, message: string): void;
}): DriftAlarm {
  const { models, now } = deps;
  const watch = createDriftWatch(deps.rows);
  const levels = new Map<string, ModelDrift['level']>();
  let cached: { atMs: number; list: ModelDrift[] } = { atMs: -Infinity, list: [] };
  let checkedMs = 0;

  function list(): ModelDrift[] {
    if (now() - cached.atMs < CACHE_MS) return cached.list;
    const found = models.folders().flatMap(({ name }) => {
      try {
        return [watch.of(models.champion(name).card)];
      } catch {
        // Broken: the sensor reports why it refuses it.
        return [];
      }
    });
    cached = { atMs: now(), list: found };
    return found;
  }

  /** The SIEM hears of a change, not of a state: once when it begins and once when it ends. */
  function report(drift: ModelDrift): void {
    const before = levels.get(drift.model);
    levels.set(drift.model, drift.level);
    if (before === drift.level || drift.level === 'too_few_rows') return;
    if (drift.level === 'alarm') {
      const worst = drift.features.slice(0, 3).map((f) => `${f.name} ${f.psi.toFixed(2)}`);
      const message = `Live traffic is unlike what ${drift.model} was trained on: score ${drift.score.psi.toFixed(2)}, ${worst.join(', ')} (PSI, alarm from 0.25).`;
      deps.toSiem('warning', `drift ${drift.model}`, message);
    } else if (before === 'alarm') {
      deps.toSiem('ok', `drift ${drift.model}`, `Live traffic is like what ${drift.model} was trained on again.`);
    }
  }

  return {
    add: watch.add,
    list,
    tick() {
      if (now() - checkedMs < CHECK_EVERY_MS) return false;
      checkedMs = now();
      cached.atMs = -Infinity;
      for (const drift of list()) report(drift);
      return true;
    },
    metrics: () =>
      cached.list
        .filter((d) => d.level !== 'too_few_rows')
        .flatMap((d): [string, number][] => [
          [`model_drift_score_psi_${d.model}`, Number(d.score.psi.toFixed(4))],
          [`model_drift_features_alarming_${d.model}`, d.features.filter((f) => f.level === 'alarm').length],
        ]),
  };
}
