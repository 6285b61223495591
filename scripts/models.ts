// npm run models -- --lab DIR [--captures DIR --index FILE] [--out models] [--algorithm NAME]...
//
// Builds the shipped models from lab runs (npm run lab) and, when given, captures of others whose terms allow it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import type { Algorithm } from '../src/contract/model-card.js';
import { FLOW_SCHEMA } from '../src/features/index.js';
import { sha256, writeBundle } from '../src/train/bundle.js';
import { trainOptionsSchema } from '../src/train/options.js';
import { hashText } from '../src/train/random.js';
import { createTableBuilder } from '../src/train/table/builder.js';
import type { FileReport } from '../src/train/table/read-tables.js';
import type { Table } from '../src/train/table/table.js';
import { trainOnTable } from '../src/train/train-model.js';
import { extractVectors, indexedCaptures, labCaptures, type LabelledCapture } from './models-vectors.js';

/** Data sets whose terms let a model be trained and shipped; the card names them. */
const ALLOWED = ['ndpi', 'zeek-traces', 'stopddos', 'probing', 'iot-sentinel'];
/** Flows of one label that one capture may give: a scan of 60,000 ports must not drown the rest. */
const FLOWS_PER_CAPTURE = 1500;

/**
 * The class of a label. What one flow cannot show (a beacon's rhythm, an upload that should not be, the words of a web
 * attack) is left to the behaviour and signature tiers: taught here it would only cost false alarms.
 */
const CLASSES: readonly [RegExp, string | undefined][] = [
  [/^benign$/, 'benign'],
  [/sweep/, 'host_sweep'],
  [/scan/, 'port_scan'],
  [/slow/, 'slow_http'],
  [/brute|spraying/, 'brute_force'],
  [/flood|ddos|amplification/i, 'flood'],
  [/tunnel/, 'tunnel'],
  [/./, undefined],
];

/**
 * Left out of shipped models: they tell a lab's virtual wires and its hosts' defaults from other networks better than
 * they tell attacks from benign traffic.
 */
const PLACE_FEATURES = [
  'initial_window_fwd',
  'initial_window_bwd',
  'first_reply_delay',
  'inter_arrival_fwd_min',
  'inter_arrival_bwd_min',
  'inter_arrival_all_min',
];

const DESCRIPTIONS: Partial<Record<Algorithm, { name: string; text: string }>> = {
  'random-forest': {
    name: 'flow-classifier',
    text: 'Scans, sweeps, floods, password guessing, slow HTTP and tunnels from flow statistics.',
  },
  'gradient-boosting': { name: 'flow-boosting', text: 'The same classes as flow-classifier by boosted trees.' },
  'isolation-forest': { name: 'flow-isolation', text: 'Flows that are easily set apart from benign ones.' },
  autoencoder: { name: 'flow-autoencoder', text: 'Flows that a network trained on benign ones cannot rebuild.' },
};

interface Collected {
  table: Table;
  files: FileReport[];
}

async function collect(captures: readonly LabelledCapture[], root: string): Promise<Collected> {
  const builder = createTableBuilder(FLOW_SCHEMA, { maxRows: 2_000_000, seed: 1 });
  const files: FileReport[] = [];
  for (const [i, capture] of captures.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${i + 1}/${captures.length} ${capture.origin}`);
    const report: FileReport = {
      name: `${capture.origin}: ${relative(root, capture.path)}`,
      sha256: sha256(readFileSync(capture.path)),
      format: 'portcullis',
      rowsRead: 0,
      rowsKept: 0,
      rejected: {},
    };
    for (const { label, rows, flows } of await extractVectors(capture, FLOWS_PER_CAPTURE)) {
      const name = CLASSES.find(([pattern]) => pattern.test(label))?.[1];
      report.rowsRead += flows;
      if (name === undefined) {
        report.rejected['no_class'] = (report.rejected['no_class'] ?? 0) + flows;
        continue;
      }
      for (const values of rows) builder.add(values, { label: name, group: hashText(capture.path), time: NaN });
      report.rowsKept += rows.length;
    }
    if (report.rowsKept > 0) files.push(report);
  }
  return { table: builder.build(), files };
}

/** One line an origin in the card instead of one a file: a thousand captures would bury the rest. */
function summarise(files: readonly FileReport[]): FileReport[] {
  const origins = new Map<string, FileReport[]>();
  for (const f of files) {
    const origin = f.name.split(':')[0]!;
    origins.set(origin, [...(origins.get(origin) ?? []), f]);
  }
  return [...origins].map(([name, list]) => ({
    name: `${name} (${list.length} captures)`,
    sha256: sha256(
      list
        .map((f) => f.sha256)
        .sort()
        .join('\n'),
    ),
    format: 'portcullis',
    rowsRead: list.reduce((n, f) => n + f.rowsRead, 0),
    rowsKept: list.reduce((n, f) => n + f.rowsKept, 0),
    rejected: list.reduce<Record<string, number>>((all, f) => {
      for (const [why, n] of Object.entries(f.rejected)) all[why] = (all[why] ?? 0) + n;
      return all;
    }, {}),
  }));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      lab: { type: 'string', multiple: true, default: [] },
      captures: { type: 'string' },
      index: { type: 'string' },
      out: { type: 'string', default: 'models' },
      cache: { type: 'string' },
      algorithm: { type: 'string', multiple: true, default: ['random-forest'] },
    },
  });
  const others =
    values.captures && values.index
      ? indexedCaptures(values.captures, values.index).filter((c) => ALLOWED.includes(c.origin) && existsSync(c.path))
      : [];
  const captures = [...values.lab.flatMap(labCaptures), ...others];
  if (captures.length === 0)
    throw new Error('No capture found: give --lab DIR (made by npm run lab) or --captures and --index.');
  const cached = values.cache && existsSync(values.cache) ? readFileSync(values.cache) : undefined;
  const collected = cached ? (deserialize(cached) as Collected) : await collect(captures, process.cwd());
  if (values.cache && !cached) writeFileSync(values.cache, serialize(collected));
  const { table, files } = collected;
  for (const algorithm of values.algorithm as Algorithm[]) {
    const about = DESCRIPTIONS[algorithm] ?? { name: `flow-${algorithm}`, text: '' };
    const options = trainOptionsSchema.parse({
      data: ['captures'],
      algorithm,
      out: join(values.out, about.name),
      name: about.name,
      description: about.text,
      classes: 'label',
      ignore: PLACE_FEATURES,
      balance: algorithm === 'random-forest' || algorithm === 'gradient-boosting' ? 'weights' : 'none',
      falsePositiveBudget: 0.003,
      trees: algorithm === 'random-forest' ? 50 : undefined,
      maxLeaves: algorithm === 'random-forest' ? 192 : undefined,
    });
    const hooks = { trainedMs: Number(process.env['SOURCE_DATE_EPOCH'] ?? 1_767_225_600) * 1000, repeatable: true };
    const { card, files: bundle } = await trainOnTable(table, summarise(files), options, hooks);
    writeBundle(options.out, bundle);
    const m = card.metrics;
    console.log(
      `${card.name} ${card.id}: held-out recall ${m.recall.toFixed(4)}, false alarms ${m.falsePositiveRate.toFixed(5)}, threshold ${card.threshold.toPrecision(3)}`,
    );
    for (const l of m.perLabel) console.log(`  ${l.label}: ${l.detected.toFixed(4)} of ${l.rows} reported`);
    for (const [name, { bytes }] of Object.entries(card.files)) console.log(`  ${name}: ${bytes} bytes`);
  }
}

await main();
