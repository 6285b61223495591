import { z } from 'zod';
import { BENIGN_LABEL } from '../../contract/model-card.js';
import { hashText } from '../random.js';
import { createTableBuilder } from '../table/builder.js';
import { splitByGroup, type Split } from '../table/split.js';
import { rowsWhere, takeRows, type Table } from '../table/table.js';
import { labelWeights, type LabelCaps } from './labels.js';

/** A vector of live traffic with what is known about it: a person's label, or a sampled flow that nobody reported. */
export const liveVectorSchema = z.object({
  values: z.array(z.number()),
  /** `benign`, or the class of the attack. */
  label: z.string(),
  /** Address it speaks about. */
  source: z.string(),
  /** Who labelled it; empty for sampled flows. */
  analyst: z.string(),
  atMs: z.number(),
  /** Of a network that must stay benign. */
  isProtected: z.boolean(),
});
export type LiveVector = z.infer<typeof liveVectorSchema>;

/** Newest share of the live vectors that is never trained on: what the gate judges by. */
export const RECENT_SHARE = 0.3;
/** Share of the older live vectors that calibrates instead of training. */
const CALIBRATION_SHARE = 5;

export interface ChallengeData {
  /** Base rows, then live rows to learn from. */
  table: Table;
  split: Split;
  /** Rows that never change: the base's held-out groups. */
  fixed: Table;
  /** Newest live vectors, labels and samples alike. */
  recent: Table;
  /** Newest vectors of protected networks; all of them benign. */
  protectedBenign: Table;
  counts: { baseRows: number; labels: number; labelsLeftOut: number; labelsCapped: number; benignSamples: number };
}

/**
 * Cuts base and live data so that nothing the gate judges by was trained on: of the base the groups that every run
 * holds out, of the live vectors the newest. A label that calls a protected network an attack is left out.
 */
export function challengeData(
  base: Table,
  live: readonly LiveVector[],
  options: { seed: number; caps: LabelCaps; maxSampleShare: number },
): ChallengeData {
  const baseSplit = splitByGroup(base, { seed: options.seed });
  const isLabel = (v: LiveVector): boolean => v.analyst !== '';
  const usable = live.filter((v) => v.values.length === base.columns && !(v.isProtected && v.label !== BENIGN_LABEL));
  const labels = byTime(usable.filter(isLabel));
  const samples = capSources(byTime(usable.filter((v) => !isLabel(v))), options.maxSampleShare);
  // Of each kind for itself: people label in bursts, and the gate needs attacks and benign rows alike.
  const isBenign = (v: LiveVector): boolean => v.label === BENIGN_LABEL;
  const cuts = [cut(labels.filter(isBenign)), cut(labels.filter((v) => !isBenign(v)))];
  const [oldLabels, newLabels] = [cuts.flatMap(([old]) => old), cuts.flatMap(([, recent]) => recent)];
  const [oldSamples, newSamples] = cut(samples);
  const weights = labelWeights(oldLabels, options.caps);
  const learn = [...oldLabels, ...oldSamples];
  const table = append(base, learn);
  table.weight.set(weights, base.rows);
  const baseLabels = new Set(base.labels);
  const calibrates = (v: LiveVector): boolean =>
    baseLabels.has(v.label) && hashText(v.source, options.seed) % CALIBRATION_SHARE === 0;
  const liveRows = learn.map((v, i) => ({ row: base.rows + i, calibrates: calibrates(v) }));
  const rowsOf = (kept: boolean): number[] => liveRows.filter((l) => l.calibrates === kept).map((l) => l.row);
  const judged = [...newLabels, ...newSamples];
  return {
    table,
    split: {
      train: Int32Array.from([...baseSplit.train, ...rowsOf(false)]),
      calibration: Int32Array.from([...baseSplit.calibration, ...rowsOf(true)]),
      test: baseSplit.test,
      how: `base ${baseSplit.how}; live rows by source, the newest ${RECENT_SHARE * 100} % held out for the gate`,
    },
    fixed: takeRows(base, baseSplit.test),
    recent: tableOf(
      base,
      judged.filter((v) => !v.isProtected),
    ),
    protectedBenign: tableOf(
      base,
      judged.filter((v) => v.isProtected),
    ),
    counts: {
      baseRows: base.rows,
      labels: labels.length,
      labelsLeftOut: live.filter(isLabel).length - labels.length,
      labelsCapped: weights.reduce((n, w) => n + (w < options.caps.maxWeight ? 1 : 0), 0),
      benignSamples: samples.length,
    },
  };
}

function byTime(vectors: readonly LiveVector[]): LiveVector[] {
  return [...vectors].sort((a, b) => a.atMs - b.atMs);
}

function cut(vectors: readonly LiveVector[]): [LiveVector[], LiveVector[]] {
  const at = vectors.length - Math.ceil(vectors.length * RECENT_SHARE);
  return [vectors.slice(0, at), vectors.slice(at)];
}

/** At most a share of the sampled flows from one source: who floods the box does not become its idea of benign. */
function capSources(samples: readonly LiveVector[], maxShare: number): LiveVector[] {
  const most = Math.max(20, Math.floor(maxShare * samples.length));
  const counts = new Map<string, number>();
  return samples.filter((s) => {
    const n = (counts.get(s.source) ?? 0) + 1;
    counts.set(s.source, n);
    return n <= most;
  });
}

function append(base: Table, live: readonly LiveVector[]): Table {
  const builder = createTableBuilder(base.schema, { maxRows: base.rows + live.length, seed: 1 });
  for (let r = 0; r < base.rows; r++) {
    const row = { label: base.labels[base.label[r]!]!, group: base.group[r]!, time: base.time[r]! };
    builder.add(base.x.subarray(r * base.columns, (r + 1) * base.columns), row);
  }
  addLive(builder, live);
  const table = builder.build();
  table.weight.set(base.weight);
  return table;
}

function tableOf(base: Table, live: readonly LiveVector[]): Table {
  const builder = createTableBuilder(base.schema, { maxRows: Math.max(1, live.length), seed: 1 });
  addLive(builder, live);
  return builder.build();
}

function addLive(builder: ReturnType<typeof createTableBuilder>, live: readonly LiveVector[]): void {
  for (const v of live) builder.add(v.values, { label: v.label, group: hashText(v.source), time: v.atMs / 1000 });
}

/** Rows of a table that are benign. */
export function benignRows(table: Table): Int32Array {
  return rowsWhere(table, (r) => table.labels[table.label[r]!] === BENIGN_LABEL);
}
