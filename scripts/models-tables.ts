// npx tsx scripts/models-tables.ts --data FILE --name nsl-kdd --cut folds|types --algorithm NAME [--epochs N] --cache DIR
//
// Measures one algorithm on one public table, 5-fold or with attack types held back, and keeps figures and scores in the
// cache folder, from which scripts/models-doc.ts writes docs/models.md. What is there already is not measured again.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { serialize } from 'node:v8';
import { ALGORITHMS, ANOMALY_ALGORITHMS, type Algorithm } from '../src/contract/model-card.js';
import { openSession, scoreRows } from '../src/train/onnx/session.js';
import { trainOptionsSchema } from '../src/train/options.js';
import { hashText } from '../src/train/random.js';
import { knownSchemas } from '../src/train/schemas.js';
import { anomalyClasses, makeClasses } from '../src/train/table/classes.js';
import { readTables } from '../src/train/table/read-tables.js';
import { foldsByGroup } from '../src/train/table/split.js';
import { rowsWhere, takeRows, type Table } from '../src/train/table/table.js';
import { runTrainer } from '../src/train/train-model.js';
import { figuresOf, mean, type FoldScores } from './models-figures.js';

const FOLDS = 5;
const TYPE_FOLDS = 3;

/** Trains on one part, scores the other. A tenth of the training part chooses thresholds and is not trained on. */
async function scoreFold(
  algorithm: Algorithm,
  table: Table,
  parts: { train: Int32Array; test: Int32Array },
  epochs: number | undefined,
): Promise<FoldScores> {
  const isAnomaly = ANOMALY_ALGORITHMS.includes(algorithm);
  const isHeld = (r: number): boolean => hashText(String(table.group[r]), 77) % 10 === 0;
  const y = anomalyClasses(table).y;
  const fitTable = takeRows(
    table,
    parts.train.filter((r) => !isHeld(r) && !(isAnomaly && y[r] !== 0)),
  );
  const classes = isAnomaly ? anomalyClasses(fitTable) : makeClasses(fitTable, 'binary');
  const options = trainOptionsSchema.parse({ data: ['-'], out: '-', algorithm, epochs });
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

/** Attack types are dealt into folds by size; a fold's types are never trained on, its benign rows neither. */
function foldsByType(table: Table): { foldOf: (row: number) => number; dealt: string[] } {
  const counts = table.labels.map((label, l) => ({ l, label, n: 0 }));
  for (const l of table.label) counts[l]!.n++;
  const types = counts.filter((t) => t.label !== 'benign').sort((a, b) => b.n - a.n);
  const fold = new Map(types.map((t, i) => [t.l, i % TYPE_FOLDS]));
  const benign = foldsByGroup(table, TYPE_FOLDS, 2);
  const names = (k: number): string[] => types.filter((t) => fold.get(t.l) === k).map((t) => t.label);
  return {
    foldOf: (r) => fold.get(table.label[r]!) ?? benign[r]!,
    dealt: Array.from({ length: TYPE_FOLDS }, (_, k) => names(k).join(' ')),
  };
}

/** Each row once: KDD Cup 1999 is mostly copies of a few rows, and copies measure nothing. */
function distinct(table: Table): Table {
  const seen = new Set<string>();
  const rows = rowsWhere(table, (r) => {
    const key = `${table.group[r]} ${table.label[r]}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return takeRows(table, rows);
}

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    name: { type: 'string' },
    cut: { type: 'string', default: 'folds' },
    algorithm: { type: 'string' },
    epochs: { type: 'string' },
    cache: { type: 'string' },
  },
});
const { data, name, cut, cache } = values;
const algorithm = ALGORITHMS.find((a) => a === values.algorithm);
if (!data || !name || !cache || !algorithm) throw new Error('Give --data, --name, --cache and --algorithm.');
const target = join(cache, `${name}-${cut}-${algorithm}`);
if (!existsSync(`${target}.json`)) {
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
  const folds: FoldScores[] = [];
  for (let k = 0; k < (byType ? TYPE_FOLDS : FOLDS); k++) {
    const parts = { train: rowsWhere(table, (r) => foldOf(r) !== k), test: rowsWhere(table, (r) => foldOf(r) === k) };
    folds.push(
      await scoreFold(algorithm, table, parts, values.epochs === undefined ? undefined : Number(values.epochs)),
    );
  }
  const figures = mean(folds.map(figuresOf));
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${target}.scores`, serialize(folds));
  writeFileSync(
    `${target}.json`,
    JSON.stringify({ rows: table.rows, dealt: byType?.dealt ?? [], epochs: values.epochs ?? '', ...figures }),
  );
  console.log(target, JSON.stringify(figures));
}
