// npx tsx scripts/models-collect.ts --out FILE.parquet [--append FILE] [--lab DIR]... [--captures DIR --index FILE]
//   [--origin NAME]... [--flows N] [--benign N]
//
// Feature vectors of labelled captures as one Parquet file, after those of the table to append to. The shipped base table is
// made of our own lab's runs:
//   npx tsx scripts/models-collect.ts --lab RUNS/1 --lab RUNS/2 --lab RUNS/3 --flows 150 --benign 3000 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/4 --benign 1500 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/6 --flows 250 --benign 1500 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/8 --flows 50 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/10 --benign 300 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/12 --flows 50 --out models/base/flow.parquet
//   npx tsx scripts/models-collect.ts --append models/base/flow.parquet --lab RUNS/13 --flows 100 --out models/base/flow.parquet
import { existsSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { FLOW_SCHEMA } from '../src/features/index.js';
import { openParquetWriter } from '../src/train/table/parquet.js';
import { readRows } from './models-rows.js';
import type { LabelledCapture } from './models-replay.js';
import { extractVectors, indexedCaptures, labCaptures } from './models-vectors.js';

const { values } = parseArgs({
  options: {
    lab: { type: 'string', multiple: true, default: [] },
    append: { type: 'string' },
    captures: { type: 'string' },
    index: { type: 'string' },
    origin: { type: 'string', multiple: true, default: [] },
    flows: { type: 'string', default: '200' },
    benign: { type: 'string' },
    out: { type: 'string' },
  },
});
if (values.out === undefined) throw new Error('Say where to write: --out FILE.parquet');
const own = values.lab.flatMap((root) =>
  labCaptures(root).map((capture) => ({
    capture,
    name: `${basename(root)}/${basename(relative(root, `${capture.path}/..`))}`,
  })),
);
const others =
  values.captures && values.index
    ? indexedCaptures(values.captures, values.index).map((capture) => ({
        capture,
        name: relative(values.captures!, capture.path),
      }))
    : [];
const wanted: { capture: LabelledCapture; name: string }[] = [...own, ...others].filter(
  ({ capture }) => existsSync(capture.path) && (values.origin.length === 0 || values.origin.includes(capture.origin)),
);
if (wanted.length === 0)
  throw new Error('No capture found: give --lab DIR (made by npm run lab) or --captures and --index.');

const before = values.append === undefined ? [] : await readRows(values.append);
const writer = openParquetWriter(values.out, FLOW_SCHEMA, ['source', 'flow']);
for (const { values, source, flow, label } of before) {
  writer.add({ values, meta: [source, flow.slice(source.length + 1)], label });
}
let rows = before.length;
for (const [i, { capture, name }] of wanted.entries()) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1}/${wanted.length} ${name}`);
  try {
    for (const vectors of await extractVectors(capture, {
      attack: Number(values.flows),
      benign: Number(values.benign ?? values.flows),
    })) {
      for (const [flow, list] of vectors.rows.entries()) {
        for (const values of list)
          writer.add({ values, meta: [name, `${vectors.label}/${flow}`], label: vectors.label });
        rows += list.length;
      }
    }
  } catch (error) {
    console.error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
writer.close();
console.log(`${values.out}: ${rows} vectors of ${wanted.length} captures`);
