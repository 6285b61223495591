// npx tsx scripts/models-open-set.ts --data KDDTrain+.txt --algorithm cnn [--epochs N] --cache DIR
//
// How well a classifier knows what it does not know: attack types are held back as in scripts/models-tables.ts, the five
// families of the rest are trained, and its novelty must tell the held-back types from everything else. Figures go to the
// cache folder, from which scripts/models-doc.ts writes docs/models.md. A fold that was measured is not measured again.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ALGORITHMS } from '../src/contract/model-card.js';
import { curve, rocAuc, thresholdForBudget } from '../src/train/evaluate/curves.js';
import { openSession, scoreRows } from '../src/train/onnx/session.js';
import { trainOptionsSchema } from '../src/train/options.js';
import { hashText } from '../src/train/random.js';
import { knownSchemas } from '../src/train/schemas.js';
import { makeClasses } from '../src/train/table/classes.js';
import { readTables } from '../src/train/table/read-tables.js';
import { rowsWhere, takeRows, type Table } from '../src/train/table/table.js';
import { runTrainer } from '../src/train/train-model.js';
import { foldsByType, TYPE_FOLDS } from './models-folds.js';

/** Share of recognised known attacks that stay known, and of benign rows that may be reported. */
const KNOWN_SHARE = 0.975;
const BUDGET = 0.05;
/** One row in so many: a network takes minutes on all of them. */
const ONE_IN = 4;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    algorithm: { type: 'string', default: 'cnn' },
    epochs: { type: 'string', default: '5' },
    cache: { type: 'string' },
  },
});
const { data, cache } = values;
const algorithm = ALGORITHMS.find((a) => a === values.algorithm);
if (!data || !cache || !algorithm) throw new Error('Give --data, --algorithm and --cache.');
mkdirSync(cache, { recursive: true });
const epochs = Number(values.epochs);

async function fold(table: Table, foldOf: (row: number) => number, k: number) {
  const isBenign = (r: number): boolean => table.labels[table.label[r]!] === 'benign';
  const isHeld = (r: number): boolean => hashText(String(table.group[r]), 77) % 10 === 0;
  const known = rowsWhere(table, (r) => foldOf(r) !== k && !isHeld(r));
  const train = takeRows(table, known);
  const classes = makeClasses(train, 'family');
  const options = trainOptionsSchema.parse({ data: ['-'], out: '-', algorithm, classes: 'family', epochs });
  const session = await openSession((await runTrainer({ table: train, classes }, options, {})).onnx);
  const score = async (rows: Int32Array) => {
    const part = takeRows(table, rows);
    return scoreRows(session, part.x, part.rows, part.columns);
  };
  const chosen = rowsWhere(table, (r) => foldOf(r) !== k && isHeld(r));
  const atHeld = await score(chosen);
  const [half, rest] = [0, 1].map((side) => (i: number) => hashText(String(table.group[chosen[i]!]), 5) % 2 === side);
  const pick = (list: Float32Array, test: (i: number) => boolean): Float32Array => list.filter((_, i) => test(i));
  const benignAt = (i: number): boolean => isBenign(chosen[i]!);
  const report = thresholdForBudget(
    pick(atHeld.score, (i) => half!(i) && benignAt(i)),
    BUDGET,
  );
  const knownNovelty = pick(atHeld.novelty!, (i) => half!(i) && !benignAt(i)).sort();
  const unknown = knownNovelty[Math.floor(KNOWN_SHARE * knownNovelty.length)]!;
  const unseen = await score(rowsWhere(table, (r) => foldOf(r) === k && !isBenign(r)));
  const against = (list: Float32Array): number => {
    const isUnseen = Uint8Array.from([...list.map(() => 0), ...unseen.novelty!.map(() => 1)]);
    return rocAuc(curve(Float32Array.from([...list, ...unseen.novelty!]), isUnseen));
  };
  const share = (list: Float32Array, test: (v: number, i: number) => boolean): number =>
    list.filter((v, i) => test(v, i)).length / Math.max(1, list.length);
  const knownAttacks = pick(atHeld.novelty!, (i) => rest!(i) && !benignAt(i));
  return {
    aurocAll: against(pick(atHeld.novelty!, rest!)),
    aurocBenign: against(pick(atHeld.novelty!, (i) => rest!(i) && benignAt(i))),
    aurocAttacks: against(knownAttacks),
    knownKept: share(knownAttacks, (v) => v <= unknown),
    unseenUnknown: share(unseen.novelty!, (v) => v > unknown),
    unseenReported: share(unseen.score, (v) => v >= report),
  };
}

type Figures = Awaited<ReturnType<typeof fold>>;
const pathOf = (k: number): string => join(cache, `open-set-${algorithm}.fold${k}`);
const folds = Array.from({ length: TYPE_FOLDS }, (_, k) => k);
if (folds.some((k) => !existsSync(pathOf(k)))) {
  const read = await readTables([data], {
    format: 'auto', missing: 'reject', kddColumns: 'network', schemas: knownSchemas(), maxRows: 2_000_000, seed: 1,
  }); // prettier-ignore
  const { foldOf } = foldsByType(read.table);
  const kept = rowsWhere(read.table, (r) => hashText(String(read.table.group[r]), 3) % ONE_IN === 0);
  const table = takeRows(read.table, kept);
  for (const k of folds.filter((n) => !existsSync(pathOf(n)))) {
    writeFileSync(pathOf(k), JSON.stringify(await fold(table, (r) => foldOf(kept[r]!), k)));
  }
}
const all = folds.map((k) => JSON.parse(readFileSync(pathOf(k), 'utf8')) as Figures);
const mean = Object.fromEntries(
  Object.keys(all[0]!).map((name) => [name, all.reduce((n, f) => n + f[name as keyof Figures], 0) / all.length]),
);
writeFileSync(join(cache, `open-set-${algorithm}.json`), JSON.stringify({ algorithm, epochs, ...mean }));
console.log(algorithm, mean);
