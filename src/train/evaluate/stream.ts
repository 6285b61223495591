import type { InferenceSession } from 'onnxruntime-node';
import type { FeatureSchema } from '../../domain/feature.js';
import { scoreRows } from '../onnx/session.js';
import type { RowSink } from '../table/read-tables.js';
import type { Labelled } from '../table/table.js';
import { predict, type Decisions, type DecisionRule } from './metrics.js';

/** Rows that wait to be scored, at most about one piece of a file. */
const FIRST_ROWS = 4096;

/** Rows judged as they are read: of each only its label, its score and its class stay, seven bytes. */
export interface ScoreStream extends RowSink {
  /** Seconds spent scoring. */
  readonly secs: number;
  finish(): { rows: Labelled; decisions: Decisions };
}

export function createScoreStream(schema: FeatureSchema, session: InferenceSession, rule: DecisionRule): ScoreStream {
  const columns = schema.features.length;
  const labels: string[] = [];
  const labelIndex = new Map<string, number>();
  let waiting = new Float32Array(FIRST_ROWS * columns);
  let capacity = FIRST_ROWS;
  let label = new Uint16Array(capacity);
  let score = new Float32Array(capacity);
  let predicted = new Uint8Array(capacity);
  let rows = 0;
  let scored = 0;
  let secs = 0;

  function labelOf(name: string): number {
    let index = labelIndex.get(name);
    if (index === undefined) {
      index = labels.push(name) - 1;
      labelIndex.set(name, index);
    }
    return index;
  }

  function grow(): void {
    capacity *= 2;
    const bigger = <T extends Float32Array | Uint16Array | Uint8Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    label = bigger(new Uint16Array(capacity), label);
    score = bigger(new Float32Array(capacity), score);
    predicted = bigger(new Uint8Array(capacity), predicted);
  }

  return {
    get secs() {
      return secs;
    },
    add(values, row) {
      const at = (rows - scored) * columns;
      if (at + columns > waiting.length) {
        const next = new Float32Array(waiting.length * 2);
        next.set(waiting);
        waiting = next;
      }
      for (let c = 0; c < columns; c++) waiting[at + c] = values[c]!;
      if (rows >= capacity) grow();
      label[rows++] = labelOf(row.label);
    },
    async drain() {
      const n = rows - scored;
      if (n === 0) return;
      const startMs = performance.now();
      const scores = await scoreRows(session, waiting, n, columns);
      secs += (performance.now() - startMs) / 1000;
      score.set(scores.score, scored);
      predicted.set(predict(scores, rule), scored);
      scored = rows;
    },
    finish: () => ({
      rows: { schema, rows, label: label.subarray(0, rows), labels },
      decisions: { score: score.subarray(0, rows), predicted: predicted.subarray(0, rows) },
    }),
  };
}
