// npx tsx scripts/models-tables.ts --data FILE --name nsl-kdd --cut folds|types --algorithm NAME --cache DIR
//   [--kernel linear] [--epochs N] [--fold K]
//
// Measures one algorithm on one public table, 5-fold or with attack types held back, and keeps figures and scores in the
// cache folder, from which scripts/models-doc.ts writes docs/models.md. What is there already is not measured again, fold
// by fold: an interrupted run goes on where it stopped, and --fold measures one only.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { ALGORITHMS, ANOMALY_ALGORITHMS, type Algorithm } from '../src/contract/model-card.js';
import { openSession, scoreRows } from '../src/train/onnx/session.js';
import { trainOptionsSchema, type TrainOptions } from '../src/train/options.js';
import { hashText } from '../src/train/random.js';
import { knownSchemas } from '../src/train/schemas.js';
import { anomalyClasses, makeClasses } from '../src/train/table/classes.js';
import { readTables } from '../src/train/table/read-tables.js';
import { foldsByGroup } from '../src/train/table/split.js';
import { rowsWhere, takeRows, type Table } from '../src/train/table/table.js';
import { runTrainer } from '../src/train/train-model.js';
import { distinct } from './models-distinct.js';
import { foldsByType, TYPE_FOLDS } from './models-folds.js';
import { figuresOf, mean, type FoldScores } from './models-figures.js';

const FOLDS = 5;

/** Trains on one part, scores the other. A tenth of the training part chooses thresholds and is not trained on. */
async function scoreFold(
  algorithm: Algorithm,
  table: Table,
  parts: { train: Int32Array; test: Int32Array },
  change: Partial<TrainOptions>,
): Promise<FoldScores> {
  const isAnomaly = ANOMALY_ALGORITHMS.includes(algorithm);
  const isHeld = (r: number): boolean => hashText(String(table.group[r]), 77) % 10 === 0;
  const y = anomalyClasses(table).y;
  const fitTable = takeRows(
    table,
    parts.train.filter((r) => !isHeld(r) && !(isAnomaly && y[r] !== 0)),
  );
  const classes = isAnomaly ? anomalyClasses(fitTable) : makeClasses(fitTable, 'binary');
  const options = trainOptionsSchema.parse({ data: ['-'], out: '-', algorithm, ...change });
  const start = performance.now();
  const model = await runTrainer({ table: fitTable, classes }, options, {});
  const secs = (performance.now() - start) / 1000;
  const session = await openSession(model.onnx);
  const scoreOf = async (rows: Int32Array): Promise<Float32Array> => {
    const part = takeRows(table, rows);
    return (await scoreRows(session, part.x, part.rows, part.columns)).score;
  };
  return {
    isAnomaly,
    trainRows: fitTable.rows,
    secs,
    heldBenign: await scoreOf(parts.train.filter((r) => isHeld(r) && y[r] === 0)),
    test: await scoreOf(parts.test),
    isAttack: Uint8Array.from(parts.test, (r) => y[r]!),
  };
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    name: { type: 'string' },
    cut: { type: 'string', default: 'folds' },
    algorithm: { type: 'string' },
    kernel: { type: 'string' },
    epochs: { type: 'string' },
    fold: { type: 'string' },
    cache: { type: 'string' },
  },
});
const { data, name, cut, cache } = values;
const algorithm = ALGORITHMS.find((a) => a === values.algorithm);
if (!data || !name || !cache || !algorithm) throw new Error('Give --data, --name, --cache and --algorithm.');
const target = join(cache, `${name}-${cut}-${algorithm === 'svm' ? `svm-${values.kernel ?? 'rbf'}` : algorithm}`);
const folds = cut === 'types' ? TYPE_FOLDS : FOLDS;
const pathOf = (k: number): string => `${target}.fold${k}`;
const wanted = Array.from({ length: folds }, (_, k) => k).filter(
  (k) => values.fold === undefined || k === +values.fold,
);

if (!existsSync(`${target}.json`) && wanted.some((k) => !existsSync(pathOf(k)))) {
  const read = await readTables([data], {
    format: 'auto',
    missing: 'reject',
    kddColumns: 'network',
    schemas: knownSchemas(),
    maxRows: 2_000_000,
    seed: 1,
  });
  const table = name === 'kdd99' ? distinct(read.table) : read.table;
  const byType = cut === 'types' ? foldsByType(table) : undefined;
  const byGroup = foldsByGroup(table, FOLDS, 1);
  const foldOf = byType?.foldOf ?? ((r: number): number => byGroup[r]!);
  mkdirSync(cache, { recursive: true });
  for (const k of wanted.filter((n) => !existsSync(pathOf(n)))) {
    const parts = { train: rowsWhere(table, (r) => foldOf(r) !== k), test: rowsWhere(table, (r) => foldOf(r) === k) };
    const scores = await scoreFold(algorithm, table, parts, {
      ...(values.epochs === undefined ? {} : { epochs: Number(values.epochs) }),
      ...(values.kernel === 'linear' ? { kernel: 'linear' as const } : {}),
    });
    writeFileSync(pathOf(k), serialize({ scores, rows: table.rows, dealt: byType?.dealt ?? [] }));
  }
}
const parts = Array.from({ length: folds }, (_, k) => pathOf(k));
if (parts.every((path) => existsSync(path))) {
  const kept = parts.map(
    (path) => deserialize(readFileSync(path)) as { scores: FoldScores; rows: number; dealt: string[] },
  );
  const figures = mean(kept.map((k) => figuresOf(k.scores)));
  const { rows, dealt } = kept[0]!;
  writeFileSync(`${target}.scores`, serialize(kept.map((k) => k.scores)));
  writeFileSync(`${target}.json`, JSON.stringify({ rows, dealt, epochs: values.epochs ?? '', ...figures }));
  for (const path of parts) rmSync(path);
  console.log(target, JSON.stringify(figures));
}
