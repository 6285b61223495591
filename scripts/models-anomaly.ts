// npx tsx scripts/models-anomaly.ts --others FILE.parquet... [--foreign FILE.parquet] --cache DIR [--base models/base/flow.parquet]
//   [--seed N]...
//
// How the shipped anomaly models do on networks they have not seen: as scripts/models-sources.ts does for the classifier, each
// origin of --others is held out in turn, and --foreign holds captures that nothing is ever trained on. A model trains on the
// benign vectors of the other origins; the network takes its threshold from captures among them that do not train it, the
// forest has the one that is shipped. What was measured is kept in the cache folder; scripts/models-doc.ts writes the table.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Algorithm } from '../src/contract/model-card.js';
import { withFlowClasses } from '../src/train/lifecycle/challenge.js';
import { knownSchemas } from '../src/train/schemas.js';
import { anomalyClasses } from '../src/train/table/classes.js';
import { readTables } from '../src/train/table/read-tables.js';
import { splitByGroup } from '../src/train/table/split.js';
import { takeRows, type Table } from '../src/train/table/table.js';
import { thresholdForBudget } from '../src/train/evaluate/curves.js';
import type { MeasuredAnomalies } from './models-anomaly-doc.js';
import { joinTables, trainOn, type ScoreBy } from './models-origins.js';
import { anomalyOptions, ISOLATION_THRESHOLD } from './models-settings.js';

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'models/base/flow.parquet' },
    others: { type: 'string', multiple: true, default: [] },
    foreign: { type: 'string' },
    cache: { type: 'string' },
    seed: { type: 'string', multiple: true, default: ['1'] },
  },
});
const { cache } = values;
if (values.others.length === 0 || cache === undefined) throw new Error('Give --others and --cache.');
mkdirSync(cache, { recursive: true });

async function read(path: string): Promise<Table> {
  const options = { format: 'auto', missing: 'keep', kddColumns: 'network', maxRows: 1_000_000, seed: 1 } as const;
  return withFlowClasses((await readTables([path], { ...options, schemas: knownSchemas() })).table);
}

/** Trains on benign rows; where no threshold is shipped, captures that are held back choose it. */
async function learn(tables: readonly Table[], algorithm: Algorithm, seed: number): Promise<[ScoreBy, number]> {
  const table = joinTables(tables);
  const { y } = anomalyClasses(table);
  const split = splitByGroup(table, { seed, calibration: 0.2, test: 0 });
  const benign = (rows: Int32Array): Table => takeRows(table, rows.filter((r) => y[r] === 0)); // prettier-ignore
  const options = anomalyOptions(algorithm, { seed });
  const score = await trainOn([{ name: 'benign', table: benign(split.train) }], options);
  if (algorithm === 'isolation-forest') return [score, ISOLATION_THRESHOLD.value];
  return [score, thresholdForBudget(await score(benign(split.calibration)), options.falsePositiveBudget)];
}

async function judge(table: Table, [score, threshold]: [ScoreBy, number]): Promise<MeasuredAnomalies['labels']> {
  const scores = await score(table);
  const labels = table.labels.map((label) => ({ label, vectors: 0, reported: 0 }));
  for (let r = 0; r < table.rows; r++) {
    const entry = labels[table.label[r]!]!;
    entry.vectors++;
    if (scores[r]! >= threshold) entry.reported++;
  }
  return labels.filter((l) => l.vectors > 0);
}

const trained = new Map([['lab', await read(values.base)]]);
for (const path of values.others) trained.set(basename(path, '.parquet'), await read(path));
const foreign = values.foreign === undefined ? undefined : await read(values.foreign);
for (const algorithm of ['isolation-forest', 'autoencoder'] as const) {
  for (const seed of values.seed.map(Number)) {
    const measured: MeasuredAnomalies[] = [];
    for (const [held, table] of trained) {
      if (held === 'lab') continue;
      const rest = [...trained].filter(([name]) => name !== held).map(([, t]) => t);
      measured.push({ origin: held, labels: await judge(table, await learn(rest, algorithm, seed)) });
    }
    const all = foreign && (await judge(foreign, await learn([...trained.values()], algorithm, seed)));
    if (all) measured.push({ origin: 'captures that train nothing', labels: all });
    writeFileSync(join(cache, `anomaly-${algorithm}-${seed}.json`), JSON.stringify(measured));
    console.log(`${algorithm}, seed ${seed}: ${measured.length} origins`);
  }
}
