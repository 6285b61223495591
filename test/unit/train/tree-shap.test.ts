import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTreeFile } from '../../../src/detect/scoring/tree-explainer.js';
import { makeClasses } from '../../../src/train/table/classes.js';
import { BOOSTING_DEFAULTS, trainBoosting } from '../../../src/train/trees/boosting.js';
import type { Ensemble } from '../../../src/train/trees/ensemble.js';
import { evaluateEnsemble } from '../../../src/train/trees/ensemble.js';
import { FOREST_DEFAULTS, trainForest } from '../../../src/train/trees/forest.js';
import { formatTreeFile } from '../../../src/train/trees/tree-file.js';
import { syntheticTable } from './synthetic.js';

const table = syntheticTable(600, 5, 0.05);
/** Every seventh label is wrong, so that trees grow deep and split on several features. */
const y = makeClasses(table, 'binary').y.map((c, r) => (r % 7 === 0 ? 1 - c : c));
const data = { x: table.x, rows: table.rows, columns: table.columns, y, weight: table.weight, classes: 2 };
const rowAt = (r: number): Float32Array => table.x.subarray(r * table.columns, (r + 1) * table.columns);

/**
 * Shapley values by their definition: the mean gain of a feature over all coalitions of the others, where features
 * outside a coalition are averaged over the training weight of both sides of each split.
 */
function bruteForce({ trees }: Ensemble, row: Float32Array, output: number): number[] {
  const m = row.length;
  const value = (coalition: number): number =>
    trees.reduce((sum, t) => {
      if (t.width === 1 && t.output !== output) return sum;
      const walk = (node: number): number => {
        const f = t.feature[node]!;
        if (f < 0) return t.value[node * t.width + (t.width === 1 ? 0 : output)]!;
        const [l, r] = [t.left[node]!, t.right[node]!];
        if ((coalition >> f) & 1) {
          const v = row[f]!;
          return walk(v <= t.threshold[node]! || (Number.isNaN(v) && t.missingLeft[node] === 1) ? l : r);
        }
        const [a, b] = [Math.fround(t.cover[l]!), Math.fround(t.cover[r]!)];
        return (a * walk(l) + b * walk(r)) / (a + b);
      };
      return sum + walk(0);
    }, 0);
  const values = Array.from({ length: 1 << m }, (_, s) => value(s));
  const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
  return Array.from({ length: m }, (_, f) => {
    let phi = 0;
    for (let s = 0; s < 1 << m; s++) {
      if ((s >> f) & 1) continue;
      const size = s.toString(2).split('1').length - 1;
      phi += ((factorial(size) * factorial(m - size - 1)) / factorial(m)) * (values[s | (1 << f)]! - values[s]!);
    }
    return phi;
  });
}

const close = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (v, i) => Math.abs(v - b[i]!)));

test('TreeSHAP is the Shapley value by its definition, for boosted trees and for forests', () => {
  const boosted = trainBoosting(data, { ...BOOSTING_DEFAULTS, rounds: 4, maxLeaves: 12 });
  const forest = trainForest(data, { ...FOREST_DEFAULTS, trees: 4, maxLeaves: 16, seed: 2 });
  const explainers = [
    { ensemble: boosted, output: 0, explainer: parseTreeFile(formatTreeFile(boosted, [0], { features: 8, reading: 'class' })) },
    { ensemble: forest, output: 1, explainer: parseTreeFile(formatTreeFile(forest, [1], { features: 8, reading: 'sum' })) },
  ]; // prettier-ignore
  const shares = new Float64Array(8);
  for (const { ensemble, output, explainer } of explainers) {
    let saabasDiffers = 0;
    for (let r = 0; r < 40; r++) {
      const exact = bruteForce(ensemble, rowAt(r), output);
      const { bias } = explainer.shapley(rowAt(r), 0, shares);
      assert.ok(close(shares, exact) < 1e-6, `row ${r}: ${[...shares]} ${exact}`);
      const raw = new Float64Array(ensemble.base.length);
      evaluateEnsemble(ensemble, rowAt(r), 0, raw);
      const sum = shares.reduce((a, b) => a + b, bias);
      assert.ok(Math.abs(sum - raw[output]!) < 1e-5, `shares and bias add up to the output: ${sum} ${raw[output]!}`);
      explainer.contributions(rowAt(r), 0, shares);
      if (close(shares, exact) > 1e-3) saabasDiffers++;
    }
    assert.ok(saabasDiffers > 20, 'control: path contributions are another thing, and the comparison sees it');
  }
});

test('a feature that no tree asks has no share, and one that decides alone has all of it', () => {
  const stump = (feature: number): Ensemble => ({
    base: Float64Array.of(0.5),
    trees: [
      {
        feature: Int32Array.of(feature, -1, -1), threshold: Float32Array.of(10, 0, 0), missingLeft: Uint8Array.of(0, 0, 0),
        left: Int32Array.of(1, -1, -1), right: Int32Array.of(2, -1, -1), value: Float64Array.of(0, -1, 3), width: 1,
        cover: Float64Array.of(4, 3, 1), output: 0,
      },
    ],
  }); // prettier-ignore
  const explainer = parseTreeFile(formatTreeFile(stump(2), [0], { features: 4, reading: 'sum' }));
  const shares = new Float64Array(4);
  const { bias } = explainer.shapley([0, 0, 11, 0], 0, shares);
  assert.equal(bias, 0.5 + (3 * -1 + 1 * 3) / 4);
  assert.deepEqual([...shares], [0, 0, 3, 0]);
});
