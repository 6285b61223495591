import type { DriftFigure, ModelDrift } from '../../contract/http.js';
import type { ScoredFlow } from '../../contract/ipc.js';
import type { ModelCard } from '../../contract/model-card.js';
import { binnedKs, DRIFT_ALARM, DRIFT_MIN_ROWS, DRIFT_NOTE, sharesOf, stabilityIndex } from '../../train/index.js';

/** Share of a model's features that must be alarming before the model is. */
const ALARMING_FEATURES = 0.2;

/** The newest sampled vectors of each feature schema, and how they differ from what the models were trained on. */
export interface DriftWatch {
  add(samples: readonly ScoredFlow[]): void;
  of(card: ModelCard): ModelDrift;
}

/** @param rows newest vectors of a schema that are compared. */
export function createDriftWatch(rows: number): DriftWatch {
  const windows = new Map<string, ScoredFlow[]>();
  return {
    add(samples) {
      for (const sample of samples) {
        const window = windows.get(sample.schema) ?? [];
        windows.set(sample.schema, window);
        window.push(sample);
        // Cut in blocks: one at a time would move the whole window for each sample.
        if (window.length >= rows + 256) window.splice(0, window.length - rows);
      }
    },
    of(card) {
      const window = (windows.get(card.schema.name) ?? []).slice(-rows);
      const features = card.schema.features
        .map((f, c) =>
          figure(
            f.name,
            f.drift,
            window.map((s) => s.values[c] ?? NaN),
          ),
        )
        .sort((a, b) => b.psi - a.psi);
      const scores = window.flatMap((s) => s.scores[card.name] ?? []);
      const score = figure('score', card.scoreDrift, scores);
      return {
        model: card.name,
        version: card.id,
        rows: window.length,
        fromMs: window[0]?.atMs ?? 0,
        toMs: window.at(-1)?.atMs ?? 0,
        level: levelOf(score, features),
        score,
        features,
      };
    },
  };
}

function figure(
  name: string,
  { edges, shares: then }: { edges: number[]; shares: number[] },
  values: number[],
): DriftFigure {
  const now = sharesOf(values, edges);
  const few = values.length < DRIFT_MIN_ROWS;
  const psi = few ? 0 : stabilityIndex(then, now);
  const level = few ? 'too_few_rows' : psi >= DRIFT_ALARM ? 'alarm' : psi >= DRIFT_NOTE ? 'note' : 'none';
  return { name, psi, ks: few ? 0 : binnedKs(then, now), level, edges, then, now };
}

/** One feature that moved is worth a note; a moved score, or a fifth of the features, means another kind of traffic. */
function levelOf(score: DriftFigure, features: readonly DriftFigure[]): ModelDrift['level'] {
  if (score.level === 'too_few_rows') return 'too_few_rows';
  const alarming = features.filter((f) => f.level === 'alarm').length;
  if (score.level === 'alarm' || alarming >= ALARMING_FEATURES * features.length) return 'alarm';
  return score.level === 'note' || alarming > 0 ? 'note' : 'none';
}
