import type { Detection } from '../../domain/detection.js';
import type { FeatureSchema, FeatureVector } from '../../domain/feature.js';
import type { FlowColumns } from '../../domain/flow.js';
import { nowUs } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { RowBatch } from './batch.js';
import type { LoadedBundle } from './bundle.js';
import type { BatchScores } from './messages.js';
import { ModelSet, type ReloadReport } from './model-set.js';
import type { ScoringOptions } from './options.js';
import { Reporter } from './reporter.js';
import { WorkerLink } from './worker-link.js';

export interface ScorerDeps {
  emit: (detection: Detection) => void;
  log: Logger;
  /** Feature schemas that the sensor computes; models of others are refused. */
  schemas: readonly FeatureSchema[];
  sensor: string;
  /** Offline: nothing is shed, batches are cut by size alone, times are packet times. */
  offline?: boolean;
  /** Every score, in the order of `push`; for evaluation and tests. */
  onScores?: (bundle: LoadedBundle, scores: BatchScores, rows: number) => void;
}

export interface Scorer {
  /** Loads the configured models. Refused ones are reported and logged; the rest score. */
  start(): Promise<ReloadReport[]>;
  /** Copies the vector and the flow's numbers. @returns false when the row was shed because scoring is behind. */
  push(vector: FeatureVector, flows: FlowColumns, slot: number): boolean;
  /** Loads models from disk again, or from other folders; a refused one leaves the old in its place. */
  reload(dirs?: readonly string[]): Promise<ReloadReport[]>;
  /** Resolves when everything pushed so far has been scored and emitted. */
  drain(): Promise<void>;
  stats(): Record<string, number>;
  close(): Promise<void>;
}

/** Pending batches an offline run may hold before `push` refuses; `drain` between capture blocks keeps it far below. */
const OFFLINE_BATCHES = 16_384;

/**
 * Scores feature vectors in a worker thread, in micro-batches: a batch leaves when it is full or `flushMs` after its
 * first row. When `queueBatches` are in flight rows are shed and counted, so scoring never holds up capture.
 */
export function createScorer(options: ScoringOptions, deps: ScorerDeps): Scorer {
  const counters = { rows: 0, shed: 0, batches: 0, modelErrors: 0 };
  const filling = new Map<string, RowBatch>();
  const free = new Map<string, RowBatch[]>();
  const inFlight = new Map<number, { batch: RowBatch; schema: string; bundles: Map<number, LoadedBundle> }>();
  const waiting: (() => void)[] = [];
  const limit = deps.offline ? OFFLINE_BATCHES : options.queueBatches;
  let timer: NodeJS.Timeout | undefined;
  let sequence = 0;

  const reporter = new Reporter(deps, options.maxDetectionsPerSec, deps.offline ? undefined : nowUs);
  const link = new WorkerLink(deps.log, {
    onScored: (batch, results) => finish(batch, results),
    onLost: (mayRestart) => {
      for (const [id, { batch }] of inFlight) {
        counters.shed += batch.rows;
        finish(id, []);
      }
      if (mayRestart) void models.reload();
      else models.clear();
    },
  });
  const models = new ModelSet(options.models, link, deps);

  function finish(id: number, results: readonly BatchScores[]): void {
    const entry = inFlight.get(id);
    if (!entry) return;
    inFlight.delete(id);
    for (const result of results) {
      const bundle = entry.bundles.get(result.key);
      if (!bundle) continue;
      if (result.error !== undefined) {
        counters.modelErrors++;
        deps.log.error({ model: bundle.card.name, error: result.error }, 'A model failed on a batch.');
        continue;
      }
      deps.onScores?.(bundle, result, entry.batch.rows);
      reporter.report(bundle, result, entry.batch);
    }
    entry.batch.rows = 0;
    const pool = free.get(entry.schema) ?? [];
    free.set(entry.schema, pool);
    if (pool.length < options.queueBatches) pool.push(entry.batch);
    if (inFlight.size === 0) for (const wake of waiting.splice(0)) wake();
  }

  function send(schema: string): void {
    const batch = filling.get(schema);
    if (!batch || batch.rows === 0) return;
    filling.delete(schema);
    const bundles = models.forSchema(schema);
    const id = sequence++;
    inFlight.set(id, { batch, schema, bundles });
    counters.batches++;
    const columns = batch.x.length / options.batchRows;
    link.send({ type: 'score', batch: id, x: batch.shared, rows: batch.rows, columns, keys: [...bundles.keys()] });
  }

  function flush(): void {
    if (timer) clearTimeout(timer);
    timer = undefined;
    for (const schema of [...filling.keys()]) send(schema);
  }

  return {
    start: () => models.reload(),
    push(vector, flows, slot) {
      if (!models.has(vector.schema)) return true;
      let batch = filling.get(vector.schema);
      if (!batch) {
        if (inFlight.size + filling.size >= limit) {
          counters.shed++;
          return false;
        }
        batch = free.get(vector.schema)?.pop() ?? new RowBatch(options.batchRows, vector.values.length);
        filling.set(vector.schema, batch);
      }
      batch.add(vector, flows, slot);
      counters.rows++;
      if (batch.rows >= options.batchRows) send(vector.schema);
      else if (!deps.offline) timer ??= setTimeout(flush, options.flushMs);
      return true;
    },
    reload: (dirs) => models.reload(dirs),
    drain() {
      flush();
      return inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    stats: () => ({
      scored_rows: counters.rows,
      shed_rows: counters.shed,
      score_batches: counters.batches,
      batches_in_flight: inFlight.size,
      model_errors: counters.modelErrors,
      models_loaded: models.count(),
      models_refused: models.refused,
      scoring_worker_restarts: link.restarts,
      ...reporter.stats(),
    }),
    async close() {
      if (timer) clearTimeout(timer);
      await link.close();
    },
  };
}
