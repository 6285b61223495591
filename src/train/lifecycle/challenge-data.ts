import { z } from 'zod';
import { BENIGN_LABEL } from '../../contract/model-card.js';
import { hashText } from '../random.js';
import { createTableBuilder } from '../table/builder.js';
import { splitByGroup, type Split } from '../table/split.js';
import { rowsWhere, takeRows, type Table } from '../table/table.js';
import { siftLabels, type Sifted } from './contradictions.js';
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
  /** The alert, and what it said; empty for sampled flows. */
  alertId: z.string(),
  alertLabel: z.string(),
  /** Tiers other than models that accuse the same source. */
  witnesses: z.array(z.string()),
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
  /** Who labelled each of them; empty for sampled flows. */
  recentLabeller: string[];
  /** Newest vectors of protected networks; all of them benign. */
  protectedBenign: Table;
  /** Labels that others or other tiers contradict, which take no part. */
  sifted: Pick<Sifted, 'aside' | 'distrusted'>;
  counts: {
    baseRows: number;
    /** Labels that teach and judge. */
    labels: number;
    newLabels: number;
    /** Of another width than the base data. */
    labelsLeftOut: number;
    labelsCapped: number;
    benignSamples: number;
  };
}

export interface ChallengeDataOptions {
  seed: number;
  caps: LabelCaps;
  maxSampleShare: number;
  /** What happens to labels that are contradicted. */
  contradicted: 'set_aside' | 'use';
  /** Labels given later are new: when the champion was trained. */
  newSinceMs: number;
}

/**
 * Cuts base and live data so that nothing the gate judges by was trained on: of the base the groups that every run
 * holds out, of the live vectors the newest. Labels that are contradicted are set aside first.
 */
export function challengeData(base: Table, live: readonly LiveVector[], options: ChallengeDataOptions): ChallengeData {
  const baseSplit = splitByGroup(base, { seed: options.seed });
  const isLabel = (v: LiveVector): boolean => v.analyst !== '';
  const usable = live.filter((v) => v.values.length === base.columns);
  const given = usable.filter(isLabel);
  const sifted = options.contradicted === 'use' ? believeAll(given) : siftLabels(given);
  const labels = oncePerAlert(byTime(sifted.kept));
  const samples = capSources(byTime(usable.filter((v) => !isLabel(v))), options.maxSampleShare);
  // Of each kind for itself: people label in bursts, and the gate needs attacks and benign rows alike.
  const isBenign = (v: LiveVector): boolean => v.label === BENIGN_LABEL;
  const cuts = [cut(labels.filter(isBenign)), cut(labels.filter((v) => !isBenign(v)))];
  const [oldLabels, newLabels] = [cuts.flatMap(([old]) => old), cuts.flatMap(([, recent]) => recent)];
  const [oldSamples, newSamples] = cut(samples);
  const baseRows = countClasses(base, baseSplit.train);
  baseRows.set(BENIGN_LABEL, (baseRows.get(BENIGN_LABEL) ?? 0) + oldSamples.length);
  const weights = labelWeights(oldLabels, baseRows, options.caps);
  const learn = [...oldLabels, ...oldSamples];
  const table = append(base, learn);
  table.weight.set(weights, base.rows);
  const baseLabels = new Set(base.labels);
  const calibrates = (v: LiveVector): boolean =>
    baseLabels.has(v.label) && hashText(v.source, options.seed) % CALIBRATION_SHARE === 0;
  const liveRows = learn.map((v, i) => ({ row: base.rows + i, calibrates: calibrates(v) }));
  const rowsOf = (kept: boolean): number[] => liveRows.filter((l) => l.calibrates === kept).map((l) => l.row);
  const judged = [...newLabels, ...newSamples];
  const open = judged.filter((v) => !v.isProtected);
  return {
    table,
    split: {
      train: Int32Array.from([...baseSplit.train, ...rowsOf(false)]),
      calibration: Int32Array.from([...baseSplit.calibration, ...rowsOf(true)]),
      test: baseSplit.test,
      how: `base ${baseSplit.how}; live rows by source, the newest ${RECENT_SHARE * 100} % held out for the gate`,
    },
    fixed: takeRows(base, baseSplit.test),
    recent: tableOf(base, open),
    recentLabeller: open.map((v) => v.analyst),
    protectedBenign: tableOf(
      base,
      judged.filter((v) => v.isProtected),
    ),
    sifted,
    counts: {
      baseRows: base.rows,
      labels: labels.length,
      newLabels: labels.filter((v) => v.atMs > options.newSinceMs).length,
      labelsLeftOut: live.filter(isLabel).length - given.length,
      labelsCapped: weights.reduce((n, w) => n + (w < options.caps.maxWeight ? 1 : 0), 0),
      benignSamples: samples.length,
    },
  };
}

/** Every label counts, but one that calls a protected network an attack. */
function believeAll(labels: readonly LiveVector[]): Sifted {
  const isAside = (v: LiveVector): boolean => v.isProtected && v.label !== BENIGN_LABEL;
  return {
    kept: labels.filter((v) => !isAside(v)),
    aside: labels.filter(isAside).map((vector) => ({ vector, reason: 'protected' })),
    distrusted: [],
  };
}

/** The newest of the labels on an alert, of which all that are left agree or nobody minds. */
function oncePerAlert(labels: readonly LiveVector[]): LiveVector[] {
  return [...new Map(labels.map((v) => [v.alertId, v])).values()];
}

function countClasses(table: Table, rows: Int32Array): Map<string, number> {
  const counts = new Map<string, number>();
  for (const r of rows) {
    const name = table.labels[table.label[r]!]!;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
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
