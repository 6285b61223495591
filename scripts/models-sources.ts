// npx tsx scripts/models-sources.ts --others FILE.parquet... [--foreign FILE.parquet] --cache DIR [--base models/base/flow.parquet]
//   [--only ORIGIN] [--seed N]
//
// How the shipped classifier does on networks it has not seen. Each origin of --others (one file of
// scripts/models-collect.ts an origin) is held out in turn while our lab's runs and the other origins train; --foreign
// holds captures that nothing is ever trained on, which the shipped recipe itself judges. A flow's score is the higher of
// its early and its end vector's. What was measured of an origin is kept in the cache folder and not measured again;
// scripts/models-sources-doc.ts writes the tables.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { FLOW_SCHEMA } from '../src/features/index.js';
import { withFlowClasses } from '../src/train/lifecycle/challenge.js';
import { hashText } from '../src/train/random.js';
import { createTableBuilder } from '../src/train/table/builder.js';
import { flowClass } from '../src/train/table/flow-classes.js';
import type { Table } from '../src/train/table/table.js';
import { trainOn, type Origin } from './models-origins.js';
import { readRows, type VectorRow } from './models-rows.js';
import { classifierOptions } from './models-settings.js';
import type { MeasuredOrigin, SourceScores } from './models-sources-doc.js';

const PROTOCOL = FLOW_SCHEMA.features.findIndex((f) => f.name === 'protocol');
/** Flows of other protocols are not scored, so never reported. */
const NOT_SCORED = FLOW_SCHEMA.features[PROTOCOL]!.vocabulary!.indexOf('other');

function tableOf(rows: readonly VectorRow[]): Table {
  const builder = createTableBuilder(FLOW_SCHEMA, { maxRows: rows.length, seed: 1 });
  for (const r of rows) builder.add(r.values, { label: r.label, group: hashText(r.source), time: NaN });
  return builder.build();
}

/** Highest score of each flow, by origin and family. */
function scoresOf(rows: readonly VectorRow[], scores: Float32Array): SourceScores[] {
  const flows = new Map<string, { origin: string; family: string; source: string; score: number }>();
  for (const [i, r] of rows.entries()) {
    const family = r.label === 'benign' ? 'benign' : (flowClass(r.label) ?? 'other attacks');
    const entry = flows.get(r.flow) ?? { origin: r.source.split('/')[0]!, family, source: r.source, score: 0 };
    flows.set(r.flow, entry);
    if (r.values[PROTOCOL] !== NOT_SCORED) entry.score = Math.max(entry.score, Number(scores[i]!.toFixed(4)));
  }
  const groups = new Map<string, SourceScores>();
  for (const f of flows.values()) {
    const key = `${f.origin} ${f.family}`;
    const group = groups.get(key) ?? { origin: f.origin, family: f.family, captures: {} };
    groups.set(key, group);
    (group.captures[f.source] ??= []).push(f.score);
  }
  return [...groups.values()];
}

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'models/base/flow.parquet' },
    others: { type: 'string', multiple: true, default: [] },
    foreign: { type: 'string' },
    cache: { type: 'string' },
    only: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});
const { cache } = values;
if (values.others.length === 0 || cache === undefined) throw new Error('Give --others and --cache.');
mkdirSync(cache, { recursive: true });
const names = values.others.map((path) => basename(path, '.parquet'));
const files = new Map([['lab', values.base], ...values.others.map((path, i): [string, string] => [names[i]!, path])]);
const seed = Number(values.seed);
const options = classifierOptions({ seed });
const pathOf = (held: string): string => join(cache, `sources-${held}-seed${seed}.json`);
const wanted = [...names, ...(values.foreign === undefined ? [] : ['foreign'])];

for (const held of wanted) {
  if (existsSync(pathOf(held)) || (values.only !== undefined && values.only !== held)) continue;
  const origins: Origin[] = [];
  for (const [name, path] of files) {
    if (name !== held) origins.push({ name, table: withFlowClasses(tableOf(await readRows(path))) });
  }
  const read = await readRows(held === 'foreign' ? values.foreign! : files.get(held)!);
  const rows = held === 'foreign' ? read.filter((r) => !files.has(r.source.split('/')[0]!)) : read;
  const score = await trainOn(origins, options);
  const groups = scoresOf(rows, await score(tableOf(rows)));
  const labRows = origins.find((o) => o.name === 'lab')!.table.rows;
  writeFileSync(pathOf(held), JSON.stringify({ held, seed, labRows, groups } satisfies MeasuredOrigin));
  console.log(`${held}, seed ${seed}: ${groups.length} groups of flows`);
}
