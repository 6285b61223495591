// npx tsx scripts/models-sources.ts --base models/base/flow.parquet --others FILE.parquet --cache DIR [--algorithm NAME]
//
// How the shipped classifier does on networks it has not seen: captures of others (scripts/models-collect.ts), each origin
// held out in turn while the lab's and all other origins train; and the same with the lab alone. A flow counts as reported
// when its early or its end vector is.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ALGORITHMS } from '../src/contract/model-card.js';
import { FLOW_SCHEMA } from '../src/features/index.js';
import { openSession, scoreRows } from '../src/train/onnx/session.js';
import { hashText } from '../src/train/random.js';
import { knownSchemas } from '../src/train/schemas.js';
import { createTableBuilder } from '../src/train/table/builder.js';
import { flowClass } from '../src/train/table/flow-classes.js';
import { readParquet } from '../src/train/table/parquet.js';
import type { RowParser } from '../src/train/table/formats.js';
import { trainOnTable } from '../src/train/train-model.js';
import { classifierOptions } from './models-settings.js';

interface Row {
  origin: string;
  /** Capture it is from. */
  source: string;
  flow: string;
  label: string;
  values: Float32Array;
}

async function load(path: string, originOf: (source: string) => string): Promise<Row[]> {
  const rows: Row[] = [];
  let parser: RowParser | undefined;
  const options = { missing: 'keep', kddColumns: 'network', schemas: knownSchemas(), fileName: path } as const;
  const use = (p: RowParser): void => {
    parser = p;
  };
  await readParquet(path, options, use, (fields) => {
    if (typeof parser?.parse(fields, '') !== 'object') return;
    const source = fields[0]!;
    rows.push({
      origin: originOf(source),
      source,
      flow: `${source} ${fields[1]!}`,
      label: fields.at(-1)!,
      values: Float32Array.from(parser.values),
    });
  });
  return rows;
}

type Score = (rows: readonly Row[]) => Promise<Float32Array>;

async function train(
  rows: readonly Row[],
  algorithm: (typeof ALGORITHMS)[number],
): Promise<{ threshold: number; score: Score }> {
  const builder = createTableBuilder(FLOW_SCHEMA, { maxRows: rows.length, seed: 1 });
  for (const r of rows) {
    const label = flowClass(r.label);
    if (label !== undefined) builder.add(r.values, { label, group: hashText(r.source), time: NaN });
  }
  const options = classifierOptions({ algorithm });
  const { card, files } = await trainOnTable(builder.build(), [], options, { trainedMs: 0, repeatable: true });
  const session = await openSession(files.get('model.onnx')!);
  const columns = FLOW_SCHEMA.features.length;
  return {
    threshold: card.threshold,
    async score(list) {
      const x = new Float32Array(list.length * columns);
      for (const [i, r] of list.entries()) x.set(r.values, i * columns);
      return (await scoreRows(session, x, list.length, columns)).score;
    },
  };
}

interface Count {
  origin: string;
  family: string;
  flows: number;
  reported: number;
  /** Captures they are from, and how many of these have any reported flow. */
  captures: number;
  alarming: number;
}

async function judge(model: Awaited<ReturnType<typeof train>>, rows: readonly Row[]): Promise<Count[]> {
  const scores = await model.score(rows);
  const flows = new Map<string, { family: string; reported: boolean; origin: string; source: string }>();
  for (const [i, r] of rows.entries()) {
    const family = r.label === 'benign' ? 'benign' : (flowClass(r.label) ?? 'other attacks');
    const entry = flows.get(r.flow) ?? { family, reported: false, origin: r.origin, source: r.source };
    flows.set(r.flow, entry);
    if (scores[i]! >= model.threshold) entry.reported = true;
  }
  const counts = new Map<string, Count>();
  const captures = new Map<string, Map<string, boolean>>();
  for (const { family, reported, origin, source } of flows.values()) {
    const key = `${origin} ${family}`;
    const seen = captures.get(key) ?? new Map<string, boolean>();
    captures.set(key, seen.set(source, reported || seen.get(source) === true));
    const count = counts.get(`${origin} ${family}`) ?? {
      origin,
      family,
      flows: 0,
      reported: 0,
      captures: 0,
      alarming: 0,
    };
    counts.set(`${origin} ${family}`, count);
    count.flows++;
    if (reported) count.reported++;
  }
  for (const [key, count] of counts) {
    const seen = [...captures.get(key)!.values()];
    count.captures = seen.length;
    count.alarming = seen.filter((alarming) => alarming).length;
  }
  return [...counts.values()];
}

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: 'models/base/flow.parquet' },
    others: { type: 'string' },
    cache: { type: 'string' },
    algorithm: { type: 'string', default: 'random-forest' },
  },
});
const algorithm = ALGORITHMS.find((a) => a === values.algorithm);
if (values.others === undefined || values.cache === undefined || !algorithm)
  throw new Error('Give --others and --cache.');
const lab = await load(values.base, () => 'lab');
const others = await load(values.others, (source) => source.split('/')[0]!);
const origins = [...new Set(others.map((r) => r.origin))].sort();
const alone = await judge(await train(lab, algorithm), others);
const heldOut: Count[] = [];
for (const origin of origins) {
  const rest = others.filter((r) => r.origin !== origin);
  heldOut.push(
    ...(await judge(
      await train([...lab, ...rest], algorithm),
      others.filter((r) => r.origin === origin),
    )),
  );
}
mkdirSync(values.cache, { recursive: true });
writeFileSync(
  join(values.cache, `sources-${algorithm}.json`),
  JSON.stringify({ algorithm, labRows: lab.length, alone, heldOut }),
);
const show = (title: string, list: readonly Count[]): void => {
  console.log(title);
  for (const c of [...list].sort((a, b) => (a.family < b.family ? -1 : 1)))
    console.log(
      `${((100 * c.reported) / c.flows).toFixed(2).padStart(8)} % of ${String(c.flows).padStart(6)}  ${c.family}  ${c.origin}`,
    );
};
show('lab alone', alone);
show('each origin held out', heldOut);
