import { basename, resolve } from 'node:path';
import { ANOMALY_ALGORITHMS, BUNDLE_FORMAT, type ModelCard } from '../contract/model-card.js';
import { sealModel } from '../contract/model-seal.js';
import { AppError } from '../util/errors.js';
import { TRAINERS } from './algorithms.js';
import { refuseStrangers, sha256, writeBundle } from './bundle.js';
import { describeFeatures } from './card-features.js';
import { fitCalibration } from './evaluate/calibration.js';
import { chooseThreshold, curve } from './evaluate/curves.js';
import { baseline } from './evaluate/drift.js';
import { measure, predict, reliability, type DecisionRule } from './evaluate/metrics.js';
import { curvesOf } from './evaluate/curve-data.js';
import { calibrationPlot, confusionPlot, prPlot, rocPlot } from './evaluate/plots.js';
import type { TrainedModel, TrainerOptions } from './model.js';
import { openSession, scoreRows, type Scores } from './onnx/session.js';
import type { TrainOptions } from './options.js';
import { measureParity } from './parity.js';
import { knownSchemas } from './schemas.js';
import { balance } from './table/balance.js';
import { anomalyClasses, checkClasses, makeClasses } from './table/classes.js';
import { readTables, type FileReport } from './table/read-tables.js';
import { splitByGroup, splitByTime, type Split } from './table/split.js';
import { rowsWhere, schemaHash, takeRows, type Classes, type Table } from './table/table.js';

export interface TrainHooks {
  /** `step` names what is going on; done and total count its parts (0 when unknown). */
  onProgress?: (step: string, done: number, total: number) => void;
  /** Epoch milliseconds for the card; fixed for repeatable builds. */
  trainedMs: number;
  /** Leave timings out of the card, for repeatable builds. */
  repeatable?: boolean;
  /** Id of the model that this one is to replace, for the card. */
  parent?: string;
  /** False: shipped, and scores only where it is configured. */
  liveByDefault?: boolean;
  /** How rows are held out, instead of by the options. */
  split?: Split;
  /** The threshold, where it was chosen on other data than the calibration rows. */
  threshold?: { value: number; how: string };
  /** The threshold is not below this: that of a model of the same kind whose threshold was chosen more carefully. */
  minThreshold?: number;
}

/** Reads data, trains, checks the export, measures on held-out rows and writes the bundle. */
export async function trainModel(options: TrainOptions, hooks: TrainHooks): Promise<ModelCard> {
  // Not after hours of training.
  refuseStrangers(options.out);
  const { table, files } = await readTables(options.data, {
    ...options,
    schemas: knownSchemas(),
    onProgress: (rows) => hooks.onProgress?.('reading', rows, 0),
  });
  const built = await trainOnTable(table, files, options, hooks);
  writeBundle(options.out, built.files);
  return built.card;
}

/** The same from a table in memory; returns the bundle's files instead of writing them. */
export async function trainOnTable(
  table: Table,
  files: readonly FileReport[],
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<{ card: ModelCard; files: Map<string, Uint8Array> }> {
  const isAnomaly = ANOMALY_ALGORITHMS.includes(options.algorithm);
  const classes = isAnomaly ? anomalyClasses(table) : makeClasses(table, options.classes);
  const split = hooks.split ?? (options.split === 'time' ? splitByTime(table, {}) : splitByGroup(table, options));
  const part = (rows: Int32Array): Part => ({ table: takeRows(table, rows), classes: takeClasses(classes, rows) });
  const train = part(split.train);
  checkClasses(classes, train.classes.y, isAnomaly);
  const startedMs = performance.now();
  const model = await runTrainer(isAnomaly ? benignOnly(train) : train, options, hooks);
  const trainSecs = (performance.now() - startedMs) / 1000;
  hooks.onProgress?.('measuring', 0, 0);
  const session = await openSession(model.onnx);
  const calibrationPart = part(split.calibration);
  const testPart = part(split.test);
  const score = (p: Part): Promise<Scores> => scoreRows(session, p.table.x, p.table.rows, p.table.columns);
  const calibrationScores = await score(calibrationPart);
  const rule = chooseRule(calibrationPart, calibrationScores, options, hooks);
  const testScores = await score(testPart);
  const parity = await measureParity(model, session, testPart.table.rows > 0 ? testPart.table : train.table);
  const metrics = measure(testPart.table, testPart.classes, testScores, rule);
  const bundle = figures(testPart, testScores, rule, metrics);
  if (model.trees) bundle.set('trees.bin', model.trees);
  const performanceOf = hooks.repeatable ? {} : { performance: await timing(session, testPart.table, trainSecs) };
  const unsealed: ModelCard = {
    format: BUNDLE_FORMAT,
    name: options.name ?? basename(resolve(options.out)),
    id: '',
    algorithm: options.algorithm,
    tier: isAnomaly ? 'anomaly' : 'classification',
    description: options.description,
    trainedMs: hooks.trainedMs,
    seed: options.seed,
    parameters: {
      ...model.parameters,
      balance: options.balance,
      ...(options.benignShare === undefined ? {} : { benignShare: options.benignShare }),
      missing: options.missing,
      ignored: options.ignore.join(' '),
      ...(options.monotone.length > 0
        ? { monotone: options.monotone.join(' '), monotoneShare: options.monotoneShare }
        : {}),
    },
    files: Object.fromEntries([...bundle].map(([name, data]) => [name, fileOf(data)])),
    schema: {
      name: table.schema.name,
      version: table.schema.version,
      hash: schemaHash(table.schema),
      features: describeFeatures(train.table, train.classes.y),
    },
    classes: [...classes.names],
    threshold: rule.threshold,
    falsePositiveBudget: options.falsePositiveBudget,
    ...(rule.unknownThreshold === undefined ? {} : { unknownThreshold: rule.unknownThreshold }),
    calibration: rule.calibration,
    metrics,
    parity,
    data: {
      files: files.map((f) => ({ ...f })),
      split: hooks.threshold ? `${split.how}; threshold ${hooks.threshold.how}` : split.how,
      ...partSizes(split),
      classRows: Object.fromEntries(classes.names.map((n, c) => [n, classes.y.filter((y) => y === c).length])),
    },
    scoreDrift: baseline(testScores.score),
    ...performanceOf,
    ...(hooks.parent === undefined ? {} : { parent: hooks.parent }),
    ...(hooks.liveByDefault === undefined ? {} : { liveByDefault: hooks.liveByDefault }),
  };
  const onnx = sealModel(model.onnx, unsealed, sha256);
  const card: ModelCard = {
    ...unsealed,
    id: sha256(onnx).slice(0, 16),
    files: { ...unsealed.files, 'model.onnx': fileOf(onnx) },
  };
  bundle.set('model.onnx', onnx);
  bundle.set('card.json', Buffer.from(`${JSON.stringify(card, null, 1)}\n`));
  return { card, files: bundle };
}

function fileOf(data: Uint8Array): ModelCard['files'][string] {
  return { sha256: sha256(data), bytes: data.length };
}

interface Part {
  table: Table;
  classes: Classes;
}

function takeClasses(classes: Classes, rows: Int32Array): Classes {
  return { names: classes.names, y: Uint8Array.from(rows, (r) => classes.y[r]!) };
}

function benignOnly({ table, classes }: Part): Part {
  const rows = rowsWhere(table, (r) => classes.y[r] === 0);
  return { table: takeRows(table, rows), classes: takeClasses(classes, rows) };
}

function partSizes(split: Split): { trainRows: number; calibrationRows: number; testRows: number } {
  return { trainRows: split.train.length, calibrationRows: split.calibration.length, testRows: split.test.length };
}

/** Trains with the options' algorithm on training rows, after balancing them and blanking ignored features. */
export async function runTrainer(
  train: Part,
  options: TrainOptions,
  hooks: Pick<TrainHooks, 'onProgress'>,
): Promise<TrainedModel> {
  const ignored = columnsOf(train.table, options.ignore, '--ignore');
  const monotone = columnsOf(train.table, options.monotone, '--monotone');
  if (monotone.size > 0 && options.algorithm !== 'random-forest') {
    throw new AppError({
      kind: 'user',
      code: 'train.options',
      message: `--monotone: ${options.algorithm} cannot keep features monotone.`,
      fix: 'Use --algorithm random-forest, or leave --monotone out.',
    });
  }
  const balanced = balance(train.table, train.classes, {
    method: options.balance,
    seed: options.seed,
    benignShare: options.benignShare,
  });
  const table = ignored.size > 0 ? blank(balanced.table, ignored) : balanced.table;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return TRAINERS[options.algorithm]({ table, classes: balanced.classes }, {
    ...(given as TrainOptions),
    ignored,
    monotone,
    onProgress: (done, total) => hooks.onProgress?.('training', done, total),
  } as TrainerOptions);
}

function columnsOf(table: Table, names: readonly string[], option: string): Set<number> {
  return new Set(
    names.map((name) => {
      const column = table.schema.features.findIndex((f) => f.name === name);
      if (column >= 0) return column;
      throw new AppError({
        kind: 'user',
        code: 'train.options',
        message: `${option}: feature schema ${table.schema.name} has no feature ${name}.`,
        fix: 'See docs/features.md for the names.',
      });
    }),
  );
}

/** A copy in which the columns say nothing: no tree can split on a constant. */
function blank(table: Table, columns: ReadonlySet<number>): Table {
  const x = table.x.slice();
  for (let r = 0; r < table.rows; r++) for (const c of columns) x[r * table.columns + c] = 0;
  return { ...table, x };
}

/** Share of correctly recognised held-out attacks that stay known under the novelty threshold. */
const KNOWN_SHARE = 0.975;
function chooseRule(
  { table, classes }: Part,
  scores: Scores,
  options: TrainOptions,
  { threshold, minThreshold = 0 }: Pick<TrainHooks, 'threshold' | 'minThreshold'>,
): DecisionRule {
  const isAttack = Uint8Array.from(classes.y, (y) => (y > 0 ? 1 : 0));
  const benign = scores.score.filter((_, r) => isAttack[r] === 0);
  const isAnomaly = ANOMALY_ALGORITHMS.includes(options.algorithm);
  const chosen = chooseThreshold(benign, options.falsePositiveBudget, isAnomaly);
  const rule: DecisionRule = {
    classes: classes.names,
    threshold: threshold?.value ?? Math.max(minThreshold, chosen),
    calibration: fitCalibration(scores.score, isAttack, options.algorithm === 'cnn' ? 'temperature' : undefined),
    falsePositiveBudget: options.falsePositiveBudget,
  };
  if (!scores.novelty || classes.names.length < 3) return rule;
  const predicted = predict(scores, rule);
  const known: number[] = [];
  for (let r = 0; r < table.rows; r++) if (isAttack[r] && predicted[r] === classes.y[r]) known.push(scores.novelty[r]!);
  if (known.length < 100) return rule;
  known.sort((a, b) => a - b);
  return { ...rule, unknownThreshold: known[Math.floor(KNOWN_SHARE * known.length)]! + 1e-6 };
}

/** Curves as numbers for the console, and as plots for people. */
function figures(
  test: Part,
  scores: Scores,
  rule: DecisionRule,
  metrics: ModelCard['metrics'],
): Map<string, Uint8Array> {
  const isAttack = Uint8Array.from(test.classes.y, (y) => (y > 0 ? 1 : 0));
  const points = curve(scores.score, isAttack);
  const bins = reliability(scores.score, isAttack, rule.calibration);
  return new Map(
    Object.entries({
      'curves.json': `${JSON.stringify(curvesOf(points, bins, scores.score, isAttack))}\n`,
      'plots/confusion.svg': confusionPlot(metrics.confusion),
      'plots/roc.svg': rocPlot(points, metrics.rocAuc),
      'plots/precision-recall.svg': prPlot(points, metrics.prAuc),
      'plots/calibration.svg': calibrationPlot(bins, metrics.ece),
    }).map(([name, svg]) => [name, Buffer.from(svg)]),
  );
}

/** Rows per second in batches of 128 and the time of one row, medians of short runs. */
async function timing(
  session: Awaited<ReturnType<typeof openSession>>,
  table: Table,
  trainSecs: number,
): Promise<NonNullable<ModelCard['performance']>> {
  const median = async (rows: number, runs: number): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < runs; i++) {
      const start = performance.now();
      await scoreRows(session, table.x, rows, table.columns);
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b)[runs >> 1]!;
  };
  const batch = Math.min(128, table.rows);
  const batchMs = batch > 0 ? await median(batch, 15) : 1;
  const oneMs = batch > 0 ? await median(1, 15) : 1;
  return {
    trainSecs: Number(trainSecs.toFixed(2)),
    rowsPerSec: Math.round((batch * 1000) / batchMs),
    latencyUsBatch1: Math.round(oneMs * 1000),
  };
}
