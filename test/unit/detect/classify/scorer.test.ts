import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import {
  createScorer,
  scoringOptionsSchema,
  type Scorer,
  type ScorerDeps,
} from '../../../../src/detect/scoring/index.js';
import type { Detection } from '../../../../src/domain/detection.js';
import { silentLogger } from '../../../../src/util/logger.js';
import { SYNTHETIC_SCHEMA } from '../../train/synthetic.js';
import { flowColumns, makeModel, vectors } from './scorer-fixtures.js';
import { reseal } from '../../../support/reseal-model.js';

const ROWS = 700;
const dir = await makeModel('random-forest', { trees: 20, maxLeaves: 64 });

interface Run {
  scorer: Scorer;
  detections: Detection[];
  scores: number[];
}

const opened: Scorer[] = [];
// A test that fails must not leave a thread that keeps the file from ending.
afterEach(async () => {
  for (const scorer of opened.splice(0)) await scorer.close();
});

function open(models: string[], options: Record<string, unknown> = {}, deps: Partial<ScorerDeps> = {}): Run {
  const detections: Detection[] = [];
  const scores: number[] = [];
  const scorer = createScorer(scoringOptionsSchema.parse({ models, ...options }), {
    emit: (d) => detections.push(d),
    log: silentLogger,
    schemas: [SYNTHETIC_SCHEMA],
    sensor: 'test',
    onScores: (_bundle, result, rows) => scores.push(...result.score.subarray(0, rows)),
    ...deps,
  });
  opened.push(scorer);
  return { scorer, detections, scores };
}

async function pushAll({ scorer }: Run, pauseEvery = Infinity): Promise<void> {
  const flows = flowColumns(ROWS);
  const { vector, load } = vectors(ROWS, 11);
  for (let r = 0; r < ROWS; r++) {
    load(r);
    assert.equal(scorer.push(vector, flows, r), true);
    if (r % pauseEvery === pauseEvery - 1) await scorer.drain();
  }
  await scorer.drain();
}

test('a live run and an offline run give bit-identical scores in the order of the flows', async () => {
  const live = open([dir]);
  const offline = open([dir], { batchRows: 32 }, { offline: true });
  assert.deepEqual(await live.scorer.start(), await offline.scorer.start());
  await pushAll(live, 13);
  await pushAll(offline);
  assert.equal(live.scores.length, ROWS);
  assert.deepEqual(live.scores, offline.scores);
  assert.deepEqual(
    live.detections.map((d) => d.flowId),
    offline.detections.map((d) => d.flowId),
  );
});

test('a detection carries tier, label, threshold, calibrated confidence, explanation in words and the vector', async () => {
  const run = open([dir], {}, { offline: true });
  await run.scorer.start();
  await pushAll(run);
  const { labelOf } = vectors(ROWS, 11);
  const card = JSON.parse(readFileSync(join(dir, 'card.json'), 'utf8'));
  const scan = run.detections.find((d) => d.label === 'scan');
  assert.ok(scan);
  assert.equal(labelOf(scan.flowId! - 1), 'scan');
  assert.equal(scan.tier, 'classification');
  assert.equal(scan.gid, 3);
  assert.ok(scan.score >= card.threshold);
  assert.ok(scan.confidence > 0.5 && scan.confidence <= 1);
  assert.equal(scan.offender, `10.0.${(scan.flowId! - 1) >> 8}.${(scan.flowId! - 1) & 255}`);
  assert.equal(scan.spoofable, false);
  assert.equal(scan.attack?.techniqueId, 'T1595');
  assert.equal(scan.detectedUs, scan.packetUs);
  assert.equal(scan.features?.schema, 'synthetic');
  assert.equal(scan.features?.values.length, SYNTHETIC_SCHEMA.features.length);
  const ports = run.detections.flatMap((d) => d.evidence).find((e) => e.name === 'distinct_ports');
  assert.match(ports?.text ?? '', /^distinct ports: \d+ ports; usual: \d/);
  const benign = run.detections.filter((d) => labelOf(d.flowId! - 1) === 'benign').length;
  assert.ok(benign < 0.05 * ROWS, `${benign} benign flows reported`);
  assert.ok(run.detections.length - benign > 0.35 * ROWS);
});

test('when scoring is behind, rows are shed and counted and push never waits', async () => {
  const run = open([dir], { batchRows: 8, queueBatches: 2 });
  await run.scorer.start();
  const flows = flowColumns(100);
  const { vector, load } = vectors(100, 11);
  load(0);
  let taken = 0;
  for (let r = 0; r < 100; r++) if (run.scorer.push(vector, flows, r)) taken++;
  assert.equal(taken, 16);
  assert.equal(run.scorer.stats()['shed_rows'], 84);
  await run.scorer.drain();
  assert.equal(run.scores.length, 16);
  assert.equal(run.scorer.push(vector, flows, 0), true, 'takes rows again once the queue is empty');
});

test('a hot swap loses no row and a refused model leaves the old one scoring', async () => {
  const other = await makeModel('random-forest', { trees: 5, maxLeaves: 16, seed: 2 });
  // Room for every row: on a busy machine the worker may not have begun when the last one comes.
  const run = open([dir], { queueBatches: ROWS });
  await run.scorer.start();
  const flows = flowColumns(ROWS);
  const { vector, load } = vectors(ROWS, 11);
  const models = new Set<string>();
  let swap: Promise<unknown> = Promise.resolve();
  for (let r = 0; r < ROWS; r++) {
    load(r);
    run.scorer.push(vector, flows, r);
    if (r === 200) swap = run.scorer.reload([other]);
    if (r === 400) {
      await swap;
      assert.equal((await run.scorer.reload(['/nonexistent']))[0]?.ok, false);
      assert.deepEqual(await run.scorer.reload([other]).then((x) => x.map((y) => y.ok)), [true]);
    }
  }
  await run.scorer.drain();
  for (const d of run.detections) models.add(d.metadata?.['model_id']?.[0] ?? '');
  assert.equal(run.scores.length, ROWS);
  assert.equal(models.size, 2, 'both models reported');
});

test('rows that were taken in before the models change are scored by the old ones', async () => {
  const run = open([dir], { flushMs: 1000 });
  await run.scorer.start();
  const flows = flowColumns(5);
  const { vector, load } = vectors(5, 11);
  for (let r = 0; r < 5; r++) {
    load(r);
    run.scorer.push(vector, flows, r);
  }
  await run.scorer.reload(['/nonexistent']);
  await run.scorer.drain();
  assert.equal(run.scores.length, 5);
});

for (const [what, file, damage, reason] of [
  ['a corrupt model.onnx', 'model.onnx', (b: Buffer) => b.fill(7, 100, 200), /model\.onnx has another hash/],
  ['a card that is not JSON', 'card.json', () => Buffer.from('{'), /JSON/],
  [
    'a card with another schema',
    'card.json',
    (b: Buffer) => Buffer.from(b.toString().replace('"packets"', '"pakcets"')),
    /schema has another hash/,
  ],
  [
    'a card whose threshold was edited',
    'card.json',
    (b: Buffer) => Buffer.from(b.toString().replace(/"threshold": [\d.e-]+/, '"threshold": 0.999')),
    /card\.json and model\.onnx disagree/,
  ],
  ['a cut trees.bin', 'trees.bin', (b: Buffer) => b.subarray(0, b.length - 5), /trees\.bin has another hash/],
] as const) {
  test(`${what} is refused with the reason, and the old model goes on`, async () => {
    const bad = `${dir}-${what.replaceAll(' ', '-')}`;
    cpSync(dir, bad, { recursive: true });
    const run = open([bad]);
    assert.deepEqual(
      (await run.scorer.start()).map((r) => r.ok),
      [true],
    );
    writeFileSync(join(bad, file), damage(readFileSync(join(bad, file))));
    const [report] = await run.scorer.reload();
    assert.equal(report?.ok, false);
    assert.match(report?.reason ?? '', reason);
    await pushAll(run);
    assert.equal(run.scores.length, ROWS);
    assert.equal(run.scorer.stats()['models_refused'], 1);
  });
}

test('a model of a schema with other columns than the sensor makes is refused', async () => {
  const changed = { ...SYNTHETIC_SCHEMA, version: 2 };
  const run = open([dir], {}, { schemas: [changed] });
  const [report] = await run.scorer.start();
  assert.match(report?.reason ?? '', /trained on feature schema synthetic v1/);
});

test('an onnx file that does not do what its card says is refused by the worker', async () => {
  const bad = `${dir}-not-onnx`;
  cpSync(dir, bad, { recursive: true });
  reseal(bad, { onnx: Buffer.from('this is no model') });
  const run = open([bad]);
  const [report] = await run.scorer.start();
  assert.equal(report?.ok, false);
  assert.match(report?.reason ?? '', /protobuf|parsing|model/i);
});
