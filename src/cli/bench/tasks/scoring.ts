import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createScorer, scoringOptionsSchema } from '../../../detect/scoring/index.js';
import { FLOW_SCHEMA } from '../../../features/index.js';
import {
  BOOSTING_DEFAULTS,
  createRandom,
  createTableBuilder,
  openBundle,
  openSession,
  runTrainer,
  scoreRows,
  trainBoosting,
  trainOnTable,
  trainOptionsSchema,
  writeBundle,
  type Table,
} from '../../../train/index.js';
import { silentLogger } from '../../../util/logger.js';
import { answer } from './answer.js';
import { oneFlow } from './one-flow.js';

const ROWS = 60_000;
const BATCH = 128;
const TRAINING = { ...BOOSTING_DEFAULTS, rounds: 100, maxLeaves: 63, patience: 0 };

interface ScoringOptions {
  dir: string;
  flowsPerSec: number;
  secs: number;
}

/** Trains boosted trees on made-up flows of the live schema, then scores: in batches, and live at a steady rate. */
export async function measureScoring({ dir, flowsPerSec, secs }: ScoringOptions): Promise<void> {
  const table = madeUpFlows();
  const tables = { x: join(dir, 'x.f32'), y: join(dir, 'y.u8') };
  writeFileSync(tables.x, new Uint8Array(table.x.buffer, table.x.byteOffset, table.x.byteLength));
  writeFileSync(tables.y, Uint8Array.from(table.label));
  const data = { ...table, y: Uint8Array.from(table.label), classes: 2 };
  // The first run is the compiler's.
  const trainCpuSecs = Math.min(...Array.from({ length: 3 }, () => cpuSecs(() => void trainBoosting(data, TRAINING))));
  const trainMiB = process.resourceUsage().maxRSS / 1024;
  const out = join(dir, 'model');
  const options = trainOptionsSchema.parse({
    data: ['-'],
    out,
    algorithm: 'gradient-boosting',
    trees: 100,
    maxLeaves: 63,
  });
  writeBundle(out, (await trainOnTable(table, [], options, { trainedMs: 0, repeatable: true })).files);
  answer({
    rows: table.rows,
    columns: table.columns,
    trainCpuSecs,
    trainMiB,
    rowsPerCpuSec: await throughput(out, table),
    ...(await liveLatency(out, table, { flowsPerSec, secs })),
    autoencoderRowsPerCpuSec: await autoencoderSpeed(table),
    tables,
  });
}

function cpuSecs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Rows times epochs in a CPU second: two trainings of different length, so that what both pay once falls out. */
async function autoencoderSpeed(table: Table): Promise<number> {
  const classes = { names: ['benign', 'anomaly'], y: new Uint8Array(table.rows) };
  const train = async (epochs: number): Promise<number> => {
    const options = trainOptionsSchema.parse({ data: ['-'], out: '-', algorithm: 'autoencoder', epochs });
    const before = process.cpuUsage();
    await runTrainer({ table, classes }, options, {});
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1e6;
  };
  const [short, long] = [await train(1), await train(5)];
  return Math.round((4 * table.rows) / (long - short));
}

/** Benign flows and attacks that overlap: a tenth of the labels is wrong, so the trees grow as on real tables. */
function madeUpFlows(): Table {
  const random = createRandom(1);
  const builder = createTableBuilder(FLOW_SCHEMA, { maxRows: ROWS, seed: 1 });
  const values = new Float32Array(FLOW_SCHEMA.features.length);
  for (let r = 0; r < ROWS; r++) {
    const isAttack = r % 2 === 1;
    for (const [c, f] of FLOW_SCHEMA.features.entries()) {
      const shift = isAttack && c % 5 === 0 ? 0.4 : 0;
      values[c] = f.vocabulary ? random.below(f.vocabulary.length) : Math.exp(random.normal() + shift);
    }
    const label = random.next() < 0.1 ? !isAttack : isAttack;
    builder.add(values, { label: r === 0 || !label ? 'benign' : 'attack', group: r, time: NaN });
  }
  return builder.build();
}

/** Rows scored in a CPU second, in batches of 128. */
async function throughput(dir: string, table: Table): Promise<number> {
  const session = await openSession(openBundle(dir).onnx);
  const run = async (from: number, to: number): Promise<void> => {
    for (let r = from; r + BATCH <= to; r += BATCH) {
      await scoreRows(session, table.x.subarray(r * table.columns), BATCH, table.columns);
    }
  };
  await run(0, 10_000);
  const before = process.cpuUsage();
  await run(0, table.rows);
  const { user, system } = process.cpuUsage(before);
  return Math.round((Math.floor(table.rows / BATCH) * BATCH) / ((user + system) / 1e6));
}

/** Time from a row's push to its score, through the scorer as the sensor runs it. */
async function liveLatency(dir: string, table: Table, { flowsPerSec, secs }: Omit<ScoringOptions, 'dir'>) {
  const waiting: number[] = [];
  const took: number[] = [];
  let first = 0;
  const scorer = createScorer(scoringOptionsSchema.parse({ models: [dir], maxDetectionsPerSec: 100 }), {
    emit: () => undefined,
    log: silentLogger,
    schemas: [FLOW_SCHEMA],
    sensor: 'bench',
    onScores(_bundle, _scores, rows) {
      const now = performance.now();
      for (let i = 0; i < rows; i++) took.push(now - waiting[first++]!);
    },
  });
  await scorer.start();
  const flow = oneFlow();
  const vector = { schema: FLOW_SCHEMA.name, moment: 'end' as const, values: new Float32Array(table.columns) };
  const start = performance.now();
  let pushed = 0;
  for (let now = start; now - start < secs * 1000; now = performance.now()) {
    for (const due = ((now - start) / 1000) * flowsPerSec; pushed < due; pushed++) {
      const r = pushed % table.rows;
      vector.values.set(table.x.subarray(r * table.columns, (r + 1) * table.columns));
      waiting.push(performance.now());
      if (!scorer.push(vector, flow, 0)) waiting.pop();
    }
    await sleep(1);
  }
  const elapsed = (performance.now() - start) / 1000;
  await scorer.drain();
  const shed = scorer.stats()['shed_rows'] ?? 0;
  await scorer.close();
  // The first second warms up.
  const sorted = took.slice(flowsPerSec).sort((a, b) => a - b);
  const at = (q: number): number => sorted[Math.floor(q * (sorted.length - 1))] ?? NaN;
  return { flowsPerSec: pushed / elapsed, latencyP50Ms: at(0.5), latencyP99Ms: at(0.99), shed };
}
