import type { ScoredFlow, ShadowCount } from '../../contract/ipc.js';
import type { Detection } from '../../domain/detection.js';
import type { FeatureSchema, FeatureVector } from '../../domain/feature.js';
import type { FlowColumns } from '../../domain/flow.js';
import { nowUs } from '../../util/clock.js';
import type { Logger } from '../../util/logger.js';
import { RowBatch } from './batch.js';
import type { LoadedBundle } from './bundle.js';
import type { BatchScores } from './messages.js';
import type { Windows } from './feature-words.js';
import { ModelSet, type ReloadReport, type Shadow } from './model-set.js';
import type { ScoringOptions } from './options.js';
import { Reporter } from './reporter.js';
import { ScoreSampler } from './sampler.js';
import { ShadowCounts } from './shadow.js';
import { WorkerLink } from './worker-link.js';

export interface ScorerDeps {
  emit: (detection: Detection) => void;
  log: Logger;
  /** Feature schemas that the sensor computes; models of others are refused. */
  schemas: readonly FeatureSchema[];
  sensor: string;
  /** Lengths of the history windows, for the words of explanations. */
  windows?: Windows;
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
  reload(dirs?: readonly string[], shadows?: readonly Shadow[]): Promise<ReloadReport[]>;
  /** Vectors drawn by chance, and how challengers agree with their champions, since the last call. */
  takeReport(): { samples: ScoredFlow[]; shadow: ShadowCount[] };
  /** Resolves when everything pushed so far has been scored and emitted. */
  drain(): Promise<void>;
  stats(): Record<string, number>;
  close(): Promise<void>;
}

interface InFlight {
  batch: RowBatch;
  schema: string;
  bundles: Map<number, LoadedBundle>;
  shadows: { key: number; bundle: LoadedBundle; champion: number }[];
}

/**
 * TCP, UDP, ICMP and ICMPv6. No attack of the training data uses another protocol, so a model has nothing to say about
 * multicast memberships, routing protocols or tunnels, and used to take those of a lively network for sweeps.
 */
const SCORED_PROTOCOLS: ReadonlySet<number> = new Set([6, 17, 1, 58]);

/** Pending batches an offline run may hold before `push` refuses; `drain` between capture blocks keeps it far below. */
const OFFLINE_BATCHES = 16_384;

/**
 * Scores feature vectors in a worker thread, in micro-batches: a batch leaves when it is full or `flushMs` after its
 * first row. When `queueBatches` are in flight rows are shed and counted, so scoring never holds up capture.
 */
export function createScorer(options: ScoringOptions, deps: ScorerDeps): Scorer {
  const counters = { rows: 0, shed: 0, unscored: 0, batches: 0, modelErrors: 0, shadowRows: 0, shadowSkipped: 0 };
  const filling = new Map<string, RowBatch>();
  const free = new Map<string, RowBatch[]>();
  const inFlight = new Map<number, InFlight>();
  const sampler = new ScoreSampler(deps.offline ? 0 : options.samplesPerFlush);
  const shadow = new ShadowCounts();
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
  const models = new ModelSet(options.models, link, { ...deps, beforeSwap: flush });

  function finish(id: number, results: readonly BatchScores[]): void {
    const entry = inFlight.get(id);
    if (!entry) return;
    inFlight.delete(id);
    compareShadows(entry, results);
    const scored: { bundle: LoadedBundle; scores: BatchScores }[] = [];
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
      scored.push({ bundle, scores: result });
    }
    sampler.offer(entry.batch, entry.schema, scored);
    entry.batch.rows = 0;
    const pool = free.get(entry.schema) ?? [];
    free.set(entry.schema, pool);
    if (pool.length < options.queueBatches) pool.push(entry.batch);
    if (inFlight.size === 0) for (const wake of waiting.splice(0)) wake();
  }

  function compareShadows({ shadows, bundles, batch }: InFlight, results: readonly BatchScores[]): void {
    for (const { key, bundle, champion } of shadows) {
      const of = bundles.get(champion);
      const [old, now] = [champion, key].map((k) => results.find((r) => r.key === k && r.error === undefined));
      if (!of || !old || !now) continue;
      counters.shadowRows += batch.rows;
      shadow.add({ bundle: of, scores: old }, { bundle, scores: now }, batch.rows);
    }
  }

  function send(schema: string): void {
    const batch = filling.get(schema);
    if (!batch || batch.rows === 0) return;
    filling.delete(schema);
    const bundles = models.forSchema(schema);
    const id = sequence++;
    // A challenger never costs the champion a row: it is left out when batches wait.
    const isBusy = inFlight.size > options.queueBatches / 4;
    const shadows = isBusy ? [] : models.shadowsOf(schema);
    if (isBusy) counters.shadowSkipped += batch.rows;
    inFlight.set(id, { batch, schema, bundles, shadows });
    counters.batches++;
    const columns = batch.x.length / options.batchRows;
    link.send({
      type: 'score',
      batch: id,
      x: batch.shared,
      rows: batch.rows,
      columns,
      keys: [...bundles.keys(), ...shadows.map((s) => s.key)],
    });
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
      if (!SCORED_PROTOCOLS.has(flows.proto[slot]!)) {
        counters.unscored++;
        return true;
      }
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
    reload: (dirs, shadows) => models.reload(dirs, shadows),
    takeReport: () => ({ samples: sampler.take(), shadow: shadow.take() }),
    drain() {
      flush();
      return inFlight.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
    },
    stats: () => ({
      scored_rows: counters.rows,
      shed_rows: counters.shed,
      unscored_rows: counters.unscored,
      score_batches: counters.batches,
      batches_in_flight: inFlight.size,
      model_errors: counters.modelErrors,
      shadow_rows: counters.shadowRows,
      shadow_rows_skipped: counters.shadowSkipped,
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
