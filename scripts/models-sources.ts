// npx tsx scripts/models-sources.ts --others FILE.parquet... [--foreign FILE.parquet] --cache DIR [--base models/base/flow.parquet]
//
// How the shipped classifier does on networks it has not seen. Each origin of --others (one file of
// scripts/models-collect.ts an origin) is held out in turn while our lab's runs and the other origins train; --foreign holds captures that nothing is ever trained on, which the shipped recipe itself judges. A flow counts
// as reported when its early or its end vector is. What was measured of an origin is kept in the cache folder and not
// measured again.
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
import { CLASSIFIER_THRESHOLD, classifierOptions } from './models-settings.js';

export interface SourceCount {
  origin: string;
  family: string;
  flows: number;
  reported: number;
  /** Captures they are from, and how many of these have any reported flow. */
  captures: number;
  alarming: number;
}

const PROTOCOL = FLOW_SCHEMA.features.findIndex((f) => f.name === 'protocol');
/** Flows of other protocols are not scored, so never reported. */
const NOT_SCORED = FLOW_SCHEMA.features[PROTOCOL]!.vocabulary!.indexOf('other');

function tableOf(rows: readonly VectorRow[]): Table {
  const builder = createTableBuilder(FLOW_SCHEMA, { maxRows: rows.length, seed: 1 });
  for (const r of rows) builder.add(r.values, { label: r.label, group: hashText(r.source), time: NaN });
  return builder.build();
}

function count(rows: readonly VectorRow[], scores: Float32Array, threshold: number): SourceCount[] {
  const flows = new Map<string, { origin: string; family: string; source: string; reported: boolean }>();
  for (const [i, r] of rows.entries()) {
    const family = r.label === 'benign' ? 'benign' : (flowClass(r.label) ?? 'other attacks');
    const entry = flows.get(r.flow) ?? { origin: r.source.split('/')[0]!, family, source: r.source, reported: false };
    flows.set(r.flow, entry);
    if (r.values[PROTOCOL] !== NOT_SCORED && scores[i]! >= threshold) entry.reported = true;
  }
  const groups = grouped([...flows.values()], (f) => `${f.origin} ${f.family}`);
  return groups.map((list) => ({
    origin: list[0]!.origin,
    family: list[0]!.family,
    flows: list.length,
    reported: list.filter((f) => f.reported).length,
    captures: new Set(list.map((f) => f.source)).size,
    alarming: new Set(list.filter((f) => f.reported).map((f) => f.source)).size,
  }));
}

function grouped<T>(list: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of list) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
}

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'models/base/flow.parquet' },
    others: { type: 'string', multiple: true, default: [] },
    foreign: { type: 'string' },
    cache: { type: 'string' },
    only: { type: 'string' },
  },
});
const { cache } = values;
if (values.others.length === 0 || cache === undefined) throw new Error('Give --others and --cache.');
mkdirSync(cache, { recursive: true });
const names = values.others.map((path) => basename(path, '.parquet'));
const files = new Map([['lab', values.base], ...values.others.map((path, i): [string, string] => [names[i]!, path])]);
const options = classifierOptions();
const pathOf = (held: string): string => join(cache, `sources-${held}.json`);
const wanted = [...names, ...(values.foreign === undefined ? [] : ['foreign'])];

for (const held of wanted) {
  if (existsSync(pathOf(held)) || (values.only !== undefined && values.only !== held)) continue;
  const origins: Origin[] = [];
  for (const [name, path] of files) {
    if (name !== held) origins.push({ name, table: withFlowClasses(tableOf(await readRows(path))) });
  }
  const read = await readRows(held === 'foreign' ? values.foreign! : files.get(held)!);
  const rows = held === 'foreign' ? read.filter((r) => !files.has(r.source.split('/')[0]!)) : read;
  const threshold = CLASSIFIER_THRESHOLD.value;
  const score = await trainOn(origins, options);
  const counts = count(rows, await score(tableOf(rows)), threshold);
  const labRows = origins.find((o) => o.name === 'lab')!.table.rows;
  writeFileSync(pathOf(held), JSON.stringify({ threshold, labRows, counts }));
  console.log(held, 'threshold', threshold.toFixed(3));
  for (const c of counts)
    console.log(`  ${((100 * c.reported) / c.flows).toFixed(2)} % of ${c.flows} ${c.family} ${c.origin}`);
}
