import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../../../src/train/random.js';
import { makeClasses } from '../../../src/train/table/classes.js';
import { evaluateEnsemble, type Ensemble } from '../../../src/train/trees/ensemble.js';
import { FOREST_DEFAULTS, trainForest } from '../../../src/train/trees/forest.js';
import { boundedShares, keepsOrder } from '../../../src/train/trees/monotone.js';
import { runTrainer } from '../../../src/train/train-model.js';
import { SYNTHETIC_SCHEMA, syntheticTable, trainOptions } from './synthetic.js';

const PORTS = SYNTHETIC_SCHEMA.features.findIndex((f) => f.name === 'distinct_ports');
const PACKETS = SYNTHETIC_SCHEMA.features.findIndex((f) => f.name === 'packets');
const table = syntheticTable(1500, 9);
const y = makeClasses(table, 'label').y;
const data = { ...table, y, classes: 3 };
const forest = { ...FOREST_DEFAULTS, trees: 15, maxLeaves: 64 };

/** Largest fall of the share of attacks while one feature of a row rises, over many rows. */
function largestFall(ensemble: Ensemble, feature: number): number {
  const random = createRandom(3);
  const out = new Float64Array(3);
  let fall = 0;
  for (let i = 0; i < 200; i++) {
    const at = random.below(table.rows) * table.columns;
    const row = table.x.slice(at, at + table.columns);
    let before = -1;
    for (let value = 1; value < 3000; value = Math.ceil(value * 1.3)) {
      row[feature] = value;
      evaluateEnsemble(ensemble, row, 0, out);
      const share = out[1]! + out[2]!;
      fall = Math.max(fall, before - share);
      before = share;
    }
  }
  return fall;
}

test('more of a monotone feature never lowers the share of attacks, and without the constraint it does', () => {
  const kept = trainForest(data, { ...forest, monotone: new Set([PORTS, PACKETS]) });
  assert.ok(largestFall(kept, PORTS) < 1e-6);
  assert.ok(largestFall(kept, PACKETS) < 1e-6);
  const free = largestFall(trainForest(data, forest), PACKETS);
  assert.ok(free > 0.03, `the measure can fail: ${free}`);
});

test('a share of the trees is monotone, spread evenly', () => {
  const half = trainForest(data, { ...forest, trees: 20, monotone: new Set([PACKETS]), monotoneShare: 0.5 });
  const falls = half.trees.map((tree) => largestFall({ trees: [tree], base: half.base }, PACKETS) > 1e-6);
  assert.deepEqual(
    falls.filter((_, t) => t % 2 === 1),
    Array.from({ length: 10 }, () => false),
  );
  assert.ok(falls.includes(true), 'the others bend');
});

test('a monotone forest still tells the classes apart and every answer adds up to one', () => {
  const kept = trainForest(data, { ...forest, monotone: new Set([PORTS]) });
  const out = new Float64Array(3);
  let right = 0;
  for (let r = 0; r < table.rows; r++) {
    evaluateEnsemble(kept, table.x, r * table.columns, out);
    assert.ok(Math.abs(out[0]! + out[1]! + out[2]! - 1) < 1e-5);
    if (out.indexOf(Math.max(...out)) === y[r]) right++;
  }
  assert.ok(right / table.rows > 0.95, `${right} of ${table.rows}`);
});

test('order and bounds of a split are those of the attack shares', () => {
  const counts = (...list: number[]): Float64Array => Float64Array.from(list);
  assert.ok(keepsOrder(counts(10, 5, 5), counts(8, 1, 1)), 'attacks are rarer on the left');
  assert.ok(!keepsOrder(counts(10, 5, 5), counts(2, 4, 4)));
  const raised = boundedShares(counts(9, 1, 0), { low: 0.4, high: 1 });
  assert.deepEqual(
    [...raised].map((v) => Number(v.toFixed(6))),
    [0.6, 0.4, 0],
  );
  const like = boundedShares(counts(5, 0, 0), { low: 0.4, high: 1 }, counts(0.5, 0.125, 0.375));
  assert.deepEqual(
    [...like].map((v) => Number(v.toFixed(6))),
    [0.6, 0.1, 0.3],
    'without attacks of its own a node shares them out as its parent does',
  );
});

test('an algorithm that cannot keep features monotone refuses', async () => {
  const options = trainOptions({ algorithm: 'gradient-boosting', monotone: ['distinct_ports'] });
  await assert.rejects(runTrainer({ table, classes: makeClasses(table, 'binary') }, options, {}), /cannot keep/);
  const unknown = trainOptions({ algorithm: 'random-forest', monotone: ['no_such'] });
  await assert.rejects(runTrainer({ table, classes: makeClasses(table, 'binary') }, unknown, {}), /no_such/);
});
