import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ALGORITHMS, BENIGN_LABEL } from '../../contract/model-card.js';
import { AppError } from '../../util/errors.js';
import { openBundle, writeBundle, type Bundle } from '../bundle.js';
import { openSession, scoreRows } from '../onnx/session.js';
import { trainOptionsSchema } from '../options.js';
import { knownSchemas } from '../schemas.js';
import { flowClass } from '../table/flow-classes.js';
import { readTables } from '../table/read-tables.js';
import { rowsWhere, schemaHash, takeRows, type Table } from '../table/table.js';
import { trainOnTable, type TrainHooks } from '../train-model.js';
import { asideReport, setAsideSchema } from './aside-report.js';
import { challengeData, liveVectorSchema, type LiveVector } from './challenge-data.js';
import { judgeChallenger, type GateReport, type GateSet } from './gate.js';
import { CONTRADICTED_LABELS } from './options.js';

/** What a challenge needs; the server writes it, `portcullis model challenge` reads it. */
export const challengeOptionsSchema = z.strictObject({
  /** Bundle of the model in use. */
  champion: z.string(),
  /** Feature tables that every run starts from. */
  base: z.array(z.string()).min(1),
  /** Labels and sampled flows, one JSON object a line. */
  live: z.string(),
  /** Folder of the challenger's bundle. */
  out: z.string(),
  algorithm: z.enum(ALGORITHMS).optional(),
  minNewLabels: z.number(),
  maxLabelWeight: z.number(),
  maxLabelShare: z.number(),
  maxLabellerShare: z.number(),
  contradictedLabels: z.enum(CONTRADICTED_LABELS),
  maxRows: z.number(),
  seed: z.number(),
});
export type ChallengeOptions = z.infer<typeof challengeOptionsSchema>;

const pair = z.object({ champion: z.number(), challenger: z.number() });
/** What the child found; the server puts it into the run's report. */
export const challengeResultSchema = z.object({
  challenger: z.string(),
  algorithm: z.enum(ALGORITHMS),
  data: z.object({
    baseRows: z.number(),
    labels: z.number(),
    newLabels: z.number(),
    labelsLeftOut: z.number(),
    benignSamples: z.number(),
    labelsCapped: z.number(),
    setAside: setAsideSchema,
    classRows: z.record(z.string(), z.number()),
  }),
  gate: z.object({
    promote: z.boolean(),
    checks: z.array(z.object({ name: z.string(), passed: z.boolean(), detail: z.string() })),
    gain: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
    budget: z.number(),
    thresholds: pair,
  }),
  families: z.array(
    z.object({ set: z.enum(['fixed', 'recent']), family: z.string(), rows: z.number() }).extend(pair.shape),
  ),
  falseAlarms: z.array(
    z.object({ set: z.enum(['fixed', 'recent', 'protected']), rows: z.number() }).extend(pair.shape),
  ),
});
export type ChallengeResult = z.infer<typeof challengeResultSchema>;

/** Trains a challenger on base and live data, writes its bundle, and judges it against the champion. */
export async function runChallenge(options: ChallengeOptions, hooks: TrainHooks): Promise<ChallengeResult> {
  const champion = openBundle(options.champion);
  const { card } = champion;
  const { table: base, files } = await readBase(options, champion, hooks);
  const live = await readLive(options.live);
  const data = challengeData(base, live, {
    seed: options.seed,
    caps: {
      maxWeight: options.maxLabelWeight,
      maxShare: options.maxLabelShare,
      maxLabellerShare: options.maxLabellerShare,
    },
    maxSampleShare: 0.05,
    contradicted: options.contradictedLabels,
    newSinceMs: card.trainedMs,
  });
  const algorithm = options.algorithm ?? card.algorithm;
  const trained = await trainOnTable(data.table, files, trainOptions(options, champion, algorithm), {
    ...hooks,
    split: data.split,
    parent: card.id,
    ...(algorithm === card.algorithm ? { minThreshold: card.threshold } : {}),
  });
  writeBundle(options.out, trained.files);
  hooks.onProgress?.('judging', 0, 0);
  const score = await bothScores(champion.onnx, trained.files.get('model.onnx')!);
  const regression = await gateSet(data.fixed, score);
  const recent = { ...(await gateSet(data.recent, score)), labeller: data.recentLabeller };
  const protectedBenign = await score(data.protectedBenign);
  const report = judgeChallenger(
    {
      schemaHash: { champion: card.schema.hash, challenger: trained.card.schema.hash },
      parity: trained.card.parity,
      budget: card.falsePositiveBudget,
      isAnomaly: { champion: card.tier === 'anomaly', challenger: trained.card.tier === 'anomaly' },
      regression,
      recent,
      inUse: { champion: card.threshold, challenger: trained.card.threshold },
      protectedBenign,
      newLabels: data.counts.newLabels,
      seed: options.seed,
    },
    { minNewLabels: options.minNewLabels, maxRecallDrop: 0.02, bootstrapRuns: 500 },
  );
  return {
    challenger: trained.card.id,
    algorithm,
    data: { ...data.counts, setAside: asideReport(data.sifted), classRows: trained.card.data.classRows },
    gate: { ...report, budget: card.falsePositiveBudget },
    families: [
      ...recallByFamily('fixed', regression, report.thresholds),
      ...recallByFamily('recent', recent, report.thresholds),
    ],
    falseAlarms: [
      falseAlarms('fixed', regression, report.thresholds),
      falseAlarms('recent', recent, report.thresholds),
      falseAlarms('protected', benignSet(protectedBenign), report.thresholds),
    ],
  };
}

async function readBase(options: ChallengeOptions, champion: Bundle, hooks: TrainHooks) {
  const { table, files } = await readTables(options.base, {
    format: 'auto',
    missing: 'keep',
    kddColumns: 'network',
    schemas: knownSchemas().filter((s) => s.name === champion.card.schema.name),
    maxRows: options.maxRows,
    seed: options.seed,
    onProgress: (rows) => hooks.onProgress?.('reading', rows, 0),
  });
  if (schemaHash(table.schema) !== champion.card.schema.hash) {
    throw new AppError({
      kind: 'user',
      code: 'model.schema_mismatch',
      message: `The base data has feature schema ${table.schema.name} v${table.schema.version}, the model wants ${champion.card.schema.name} v${champion.card.schema.version}.`,
      fix: 'Make the data with `portcullis features --schema` of the model, or train anew.',
    });
  }
  return { table: table.schema.name === 'flow' ? withFlowClasses(table) : table, files };
}

/** Labels as the classes that flow models know; rows of other labels, and of protocols that are not scored, go. */
export function withFlowClasses(table: Table): Table {
  const { columns } = table;
  const protocol = table.schema.features.findIndex((f) => f.name === 'protocol');
  const other = table.schema.features[protocol]?.vocabulary?.indexOf('other') ?? -1;
  const classOf = (r: number): string | undefined => flowClass(table.labels[table.label[r]!]!);
  const rows = rowsWhere(
    table,
    (r) => classOf(r) !== undefined && (protocol < 0 || table.x[r * columns + protocol] !== other),
  );
  const kept = takeRows(table, rows);
  const names = [...new Set(table.labels.map((l) => flowClass(l)).filter((c) => c !== undefined))];
  return { ...kept, labels: names, label: Uint16Array.from(rows, (r) => names.indexOf(classOf(r)!)) };
}

async function readLive(path: string): Promise<LiveVector[]> {
  const list: LiveVector[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) {
    if (line !== '') list.push(liveVectorSchema.parse(JSON.parse(line)));
  }
  return list;
}

/** As the champion was trained, so that the data makes the difference. */
function trainOptions(options: ChallengeOptions, { card }: Bundle, algorithm: ChallengeResult['algorithm']) {
  const given = card.algorithm === algorithm ? card.parameters : {};
  const number = (name: string): number | undefined => {
    const value = given[name];
    return typeof value === 'number' ? value : undefined;
  };
  const text = (name: string): string | undefined => {
    const value = card.parameters[name];
    return typeof value === 'string' ? value : undefined;
  };
  return trainOptionsSchema.parse({
    data: options.base,
    out: options.out,
    name: card.name,
    description: card.description,
    algorithm,
    classes: 'label',
    balance: text('balance') ?? 'weights',
    benignShare: number('benignShare'),
    missing: 'keep',
    ignore: words(text('ignored')),
    monotone: algorithm === 'random-forest' ? words(text('monotone')) : [],
    monotoneShare: number('monotoneShare'),
    categories: algorithm === 'gradient-boosting' ? text('categories') : undefined,
    falsePositiveBudget: card.falsePositiveBudget,
    maxRows: options.maxRows,
    seed: options.seed,
    trees: number('trees'),
    maxLeaves: number('maxLeaves'),
    epochs: number('epochs'),
    learningRate: number('learningRate'),
  });
}

function words(list = ''): string[] {
  return list.split(' ').filter((n) => n !== '');
}

type Both = { champion: Float32Array; challenger: Float32Array };

async function bothScores(champion: Uint8Array, challenger: Uint8Array): Promise<(table: Table) => Promise<Both>> {
  const sessions = { champion: await openSession(champion), challenger: await openSession(challenger) };
  return async (table) => ({
    champion: (await scoreRows(sessions.champion, table.x, table.rows, table.columns)).score,
    challenger: (await scoreRows(sessions.challenger, table.x, table.rows, table.columns)).score,
  });
}

async function gateSet(table: Table, score: (table: Table) => Promise<Both>): Promise<GateSet> {
  const labels = Array.from(table.label, (l) => table.labels[l]!);
  return {
    isAttack: Uint8Array.from(labels, (l) => (l === BENIGN_LABEL ? 0 : 1)),
    family: labels.map((l) => (l === BENIGN_LABEL ? '' : l)),
    ...(await score(table)),
  };
}

function benignSet(scores: Both): GateSet {
  const n = scores.champion.length;
  return { isAttack: new Uint8Array(n), family: new Array<string>(n).fill(''), ...scores };
}

function rate(set: GateSet, rows: readonly number[], thresholds: GateReport['thresholds']): z.infer<typeof pair> {
  const share = (who: 'champion' | 'challenger'): number =>
    rows.length === 0 ? 0 : rows.filter((r) => set[who][r]! >= thresholds[who]).length / rows.length;
  return { champion: share('champion'), challenger: share('challenger') };
}

function recallByFamily(name: 'fixed' | 'recent', set: GateSet, thresholds: GateReport['thresholds']) {
  const families = [...new Set(set.family)].filter((f) => f !== '').sort();
  return families.map((family) => {
    const rows = set.family.flatMap((f, r) => (f === family ? [r] : []));
    return { set: name, family, rows: rows.length, ...rate(set, rows, thresholds) };
  });
}

function falseAlarms(name: 'fixed' | 'recent' | 'protected', set: GateSet, thresholds: GateReport['thresholds']) {
  const rows = Array.from(set.isAttack).flatMap((a, r) => (a === 0 ? [r] : []));
  return { set: name, rows: rows.length, ...rate(set, rows, thresholds) };
}
