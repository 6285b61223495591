import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleKernel } from '../../../scripts/models-kernel.js';
import { parseTreeFile } from '../../../src/detect/scoring/tree-explainer.js';
import { createRandom } from '../../../src/train/random.js';
import { binTable } from '../../../src/train/trees/bins.js';
import { BOOSTING_DEFAULTS, probabilitiesOf, trainBoosting } from '../../../src/train/trees/boosting.js';
import { evaluateEnsemble, separator, type Ensemble } from '../../../src/train/trees/ensemble.js';
import { FOREST_DEFAULTS, trainForest } from '../../../src/train/trees/forest.js';
import { meanPathLength, trainIsolationForest } from '../../../src/train/trees/isolation-forest.js';
import { KERNEL_WASM_BASE64 } from '../../../src/train/trees/kernel-bytes.js';
import { createPlainKernel, createWasmKernel } from '../../../src/train/trees/kernel.js';
import { formatTreeFile } from '../../../src/train/trees/tree-file.js';
import { makeClasses } from '../../../src/train/table/classes.js';
import { syntheticTable } from './synthetic.js';

const table = syntheticTable(2000, 5, 0.2);
const binary = { ...table, y: makeClasses(table, 'binary').y, classes: 2 };
const several = { ...table, y: makeClasses(table, 'label').y, classes: 3 };
const boosting = { ...BOOSTING_DEFAULTS, rounds: 20, maxLeaves: 15, patience: 0 };

function accuracy(ensemble: Ensemble, data: typeof several, answer: (raw: Float64Array) => Float64Array): number {
  const raw = new Float64Array(ensemble.base.length);
  let right = 0;
  for (let r = 0; r < data.rows; r++) {
    evaluateEnsemble(ensemble, data.x, r * data.columns, raw);
    const p = answer(raw);
    if (p.indexOf(Math.max(...p)) === data.y[r]) right++;
  }
  return right / data.rows;
}

test('the committed kernel bytes are what kernel.wat assembles to', async () => {
  assert.equal(Buffer.from(await assembleKernel()).toString('base64'), KERNEL_WASM_BASE64);
});

test('the SIMD kernel and the plain one grow the same trees, bit for bit', () => {
  const fast = trainBoosting(several, { ...boosting, makeKernel: createWasmKernel });
  const plain = trainBoosting(several, { ...boosting, makeKernel: createPlainKernel });
  assert.deepEqual(fast, plain);
  const other = trainBoosting(several, { ...boosting, lambda: 1.1 });
  assert.notDeepEqual(fast, other, 'the comparison can fail');
});

test('boosting separates two and three classes, missing values included, and equal runs are equal', () => {
  const two = trainBoosting(binary, boosting);
  assert.ok(accuracy(two, binary, probabilitiesOf) > 0.97);
  assert.ok(accuracy(trainBoosting(several, boosting), several, probabilitiesOf) > 0.95);
  assert.deepEqual(trainBoosting(binary, boosting), two);
});

test('missing values go to the side that suits them', () => {
  const n = 300;
  const x = Float32Array.from({ length: n }, (_, r) => (r % 3 === 0 ? NaN : r % 3));
  const split = (y: (r: number) => number): number => {
    const data = {
      x,
      rows: n,
      columns: 1,
      y: Uint8Array.from(x, (_, r) => y(r)),
      weight: new Float32Array(n).fill(1),
      classes: 2,
    };
    const tree = trainBoosting(data, { ...boosting, rounds: 1, maxLeaves: 2 }).trees[0]!;
    assert.equal(tree.threshold[0], 1.5);
    return tree.missingLeft[0]!;
  };
  assert.equal(
    split((r) => (r % 3 === 2 ? 1 : 0)),
    1,
    'missing is like the low value',
  );
  assert.equal(
    split((r) => (r % 3 === 1 ? 1 : 0)),
    0,
    'missing is like the high value',
  );
});

test('boosting with one tree and no penalty gives the log-odds step of Newton in each leaf', () => {
  // Four rows, one feature, y = 0 0 1 1: prior 0, p = 0.5, gradients +-0.5, hessians 0.25.
  const x = Float32Array.from([1, 2, 3, 4]);
  const data = {
    x,
    rows: 4,
    columns: 1,
    y: Uint8Array.from([0, 0, 1, 1]),
    weight: new Float32Array(4).fill(1),
    classes: 2,
  };
  const { trees } = trainBoosting(data, {
    ...boosting,
    rounds: 1,
    lambda: 0,
    minHessian: 0.1,
    learningRate: 1,
    maxLeaves: 2,
  });
  const tree = trees[0]!;
  assert.equal(tree.threshold[0], 2.5);
  // -G / H = -(2 * 0.5) / (2 * 0.25) = -2 on the left.
  assert.deepEqual([...tree.value], [-0, -2, 2]);
});

test('early stopping keeps the round with the least loss on rows the trees have not seen', () => {
  const noise = createRandom(3);
  const y = binary.y.map((c) => (noise.next() < 0.3 ? 1 - c : c));
  const held = syntheticTable(1000, 6, 0.2);
  const validation = { ...held, y: makeClasses(held, 'binary').y.map((c) => (noise.next() < 0.3 ? 1 - c : c)) };
  const long = trainBoosting({ ...binary, y, validation }, { ...boosting, rounds: 300, patience: 5 });
  assert.ok(long.trees.length > 2 && long.trees.length < 100, `${long.trees.length} rounds`);
});

test('a random forest answers with shares that add up to one and learns three classes', () => {
  const forest = trainForest(several, { ...FOREST_DEFAULTS, trees: 20, maxLeaves: 64 });
  assert.ok(accuracy(forest, several, (raw) => raw) > 0.96);
  const raw = new Float64Array(3);
  evaluateEnsemble(forest, several.x, 0, raw);
  assert.ok(Math.abs(raw[0]! + raw[1]! + raw[2]! - 1) < 1e-6);
});

test('row weights count: a weight of two is the same as the row twice', () => {
  const doubled = { ...binary, weight: new Float32Array(binary.rows).fill(2) };
  const grown = trainBoosting(doubled, { ...boosting, rounds: 1, lambda: 2, minHessian: 2 });
  const plain = trainBoosting(binary, { ...boosting, rounds: 1, lambda: 1, minHessian: 1 });
  assert.deepEqual(grown.trees[0]!.value, plain.trees[0]!.value);
});

test('the isolation forest sets outliers apart, and its yardstick is that of the paper', () => {
  assert.ok(Math.abs(meanPathLength(256) - 10.2448) < 1e-3);
  const random = createRandom(1);
  const x = Float32Array.from({ length: 2 * 1000 }, () => random.normal());
  x.set([8, 8], 0);
  const forest = trainIsolationForest({ x, rows: 1000, columns: 2 }, { trees: 100, sample: 256, seed: 1 });
  const paths = Array.from({ length: 1000 }, (_, r) => {
    const out = new Float64Array(1);
    evaluateEnsemble(forest, x, 2 * r, out);
    return out[0]!;
  });
  assert.equal(paths.indexOf(Math.min(...paths)), 0);
});

test('the isolation forest tells a value beyond all of its sample from the largest of the sample', () => {
  const random = createRandom(2);
  const columns = 3;
  const x = Float32Array.from({ length: columns * 1000 }, () => 1 + random.below(20));
  const forest = trainIsolationForest({ x, rows: 1000, columns }, { trees: 100, sample: 1000, seed: 1 });
  const pathOf = (row: readonly number[]): number => {
    const out = new Float64Array(1);
    evaluateEnsemble(forest, Float32Array.from(row), 0, out);
    return out[0]!;
  };
  assert.ok(pathOf([1000, 10, 10]) < pathOf([20, 10, 10]) - 1, `${pathOf([1000, 10, 10])} and ${pathOf([20, 10, 10])}`);
  assert.ok(pathOf([1000, 1000, 1000]) < pathOf([1000, 10, 10]) - 1);
  // What is missing is not what is alone; and there is a largest cut, beyond which all values are alike.
  assert.ok(pathOf([NaN, 10, 10]) > pathOf([1000, 10, 10]));
  assert.equal(pathOf([1e30, 10, 10]), pathOf([1e29, 10, 10]));
});

test('bins divide float32 data exactly at their edges', () => {
  const random = createRandom(8);
  const values = Float32Array.from({ length: 3000 }, (_, i) => (i % 10 === 0 ? 0 : Math.exp(20 * random.next() - 10)));
  const binned = binTable(values, values.length, 1);
  const edges = binned.edges[0]!;
  assert.equal(binned.bins[0], 255);
  for (const [i, v] of values.entries()) {
    const code = binned.codes[i]!;
    assert.ok(
      (code === 0 || v > edges[code - 1]!) && (code === edges.length || v <= edges[code]!),
      `${v} in bin ${code}`,
    );
  }
  for (const [a, b] of [
    [1, 1.0000001192092896],
    [0, 1.401298464324817e-45],
    [-1, 1],
    [16777216, 16777218],
  ] as const) {
    const t = separator(a, b);
    assert.ok(t >= a && t < b && Math.fround(t) === t);
  }
});

test("path contributions and their bias add up to the model's raw output, for each class", () => {
  const three = trainBoosting(several, boosting);
  const explainer = parseTreeFile(formatTreeFile(three, [0, 1, 2], { features: table.columns, reading: 'class' }));
  const raw = new Float64Array(3);
  const shares = new Float64Array(table.columns);
  for (let r = 0; r < 200; r++) {
    const row = table.x.subarray(r * table.columns, (r + 1) * table.columns);
    evaluateEnsemble(three, table.x, r * table.columns, raw);
    for (const c of [1, 2]) {
      const { bias } = explainer.contributions(row, c - 1, shares);
      const sum = shares.reduce((a, b) => a + b, bias);
      assert.ok(Math.abs(sum - (raw[c]! - raw[0]!)) < 1e-5, `${sum} ${raw[c]! - raw[0]!}`);
    }
  }
});

test('the feature that makes a scan a scan is named first', () => {
  const forest = trainForest(several, { ...FOREST_DEFAULTS, trees: 20, maxLeaves: 64 });
  const explainer = parseTreeFile(formatTreeFile(forest, [1, 2], { features: table.columns, reading: 'sum' }));
  const shares = new Float64Array(table.columns);
  const scan = makeClasses(table, 'label').names.indexOf('scan');
  let noise = 0;
  for (let r = 0; r < table.rows; r++) {
    if (several.y[r] !== scan) continue;
    explainer.contributions(table.x.subarray(r * table.columns, (r + 1) * table.columns), 1, shares);
    if (shares.indexOf(Math.max(...shares)) === 6) noise++;
  }
  assert.equal(noise, 0, 'the feature that says nothing never leads');
});

test('a damaged trees.bin is refused, not walked', () => {
  const good = formatTreeFile(trainBoosting(binary, boosting), [0], { features: table.columns, reading: 'class' });
  parseTreeFile(good);
  assert.throws(() => parseTreeFile(good.subarray(0, good.length - 1)), /cut short/);
  assert.throws(() => parseTreeFile(new Uint8Array(20)), /damaged/);
  const looping = good.slice();
  const header = new DataView(good.buffer).getUint32(8, true);
  const start = Math.ceil((12 + header) / 4) * 4;
  const nodes = (good.length - start) / 21;
  new DataView(looping.buffer).setInt32(start + 8 * nodes, 0, true);
  assert.throws(() => parseTreeFile(looping), /broken tree/);
});
