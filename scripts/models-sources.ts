// npx tsx scripts/models-sources.ts --others FILE.parquet... [--foreign FILE.parquet] --cache DIR [--base models/base/flow.parquet]
//   [--only ORIGIN] [--kind NAME]... [--seed N]
//
// How the shipped classifier does on networks it has not seen. Each origin of --others (one file of
// scripts/models-collect.ts an origin) is held out in turn while our lab's runs and the other origins train; --foreign
// holds captures that nothing is ever trained on, which the shipped recipe itself judges. A flow's score is the higher of
// its early and its end vector's. --kind holds out one kind of attack of our own lab instead (`brute-ssh`: every run of a
// scenario whose name begins so) while everything else trains. What was measured of an origin is kept in the cache folder and not measured again;
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
    kind: { type: 'string', multiple: true, default: [] },
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
const kinds = new Map(values.kind.map((name) => [`kind-${name}`, name]));
const origins = [...names, ...(values.foreign === undefined ? [] : ['foreign'])];
const wanted = kinds.size > 0 ? [...kinds.keys()] : origins;

/** Rows that judge what is held out, and those of each origin that may train it. */
async function cut(held: string): Promise<{ rows: VectorRow[]; train: Map<string, VectorRow[]> }> {
  const train = new Map<string, VectorRow[]>();
  const kind = kinds.get(held);
  const isHeld = ({ source }: VectorRow): boolean => kind !== undefined && source.split('/')[1]!.startsWith(kind);
  const rows: VectorRow[] = [];
  for (const [name, path] of files) {
    const read = await readRows(path);
    if (name === held) rows.push(...read);
    else train.set(name, name === 'lab' ? read.filter((r) => !isHeld(r)) : read);
    if (name === 'lab') rows.push(...read.filter(isHeld));
  }
  if (held === 'foreign') {
    rows.push(...(await readRows(values.foreign!)).filter((r) => !files.has(r.source.split('/')[0]!)));
  }
  return { rows, train };
}

for (const held of wanted) {
  if (existsSync(pathOf(held)) || (values.only !== undefined && values.only !== held)) continue;
  const { rows, train } = await cut(held);
  const tables = [...train].map(([name, list]): Origin => ({ name, table: withFlowClasses(tableOf(list)) }));
  const score = await trainOn(tables, options);
  const groups = scoresOf(rows, await score(tableOf(rows)));
  const labRows = tables.find((o) => o.name === 'lab')!.table.rows;
  writeFileSync(pathOf(held), JSON.stringify({ held, seed, labRows, groups } satisfies MeasuredOrigin));
  console.log(`${held}, seed ${seed}: ${groups.length} groups of flows`);
}
