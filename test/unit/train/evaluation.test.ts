import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrate, type Calibration } from '../../../src/contract/model-card.js';
import { fitCalibration, fitIsotonic, fitPlatt, fitTemperature } from '../../../src/train/evaluate/calibration.js';
import {
  chooseThreshold,
  curve,
  curveFigures,
  nextFloat32,
  rocAuc,
  thresholdForBudget,
} from '../../../src/train/evaluate/curves.js';
import { baseline, binnedKs, sharesOf, stabilityIndex } from '../../../src/train/evaluate/drift.js';
import { measure } from '../../../src/train/evaluate/metrics.js';
import { createRandom } from '../../../src/train/random.js';
import { makeClasses } from '../../../src/train/table/classes.js';
import { syntheticTable } from './synthetic.js';

const random = createRandom(9);
const N = 400;
const isAttack = Uint8Array.from({ length: N }, () => (random.next() < 0.3 ? 1 : 0));
/** Coarse scores: many ties. */
const score = Float32Array.from(
  isAttack,
  (a) => Math.round(10 * Math.min(1, Math.max(0, 0.4 * random.next() + 0.4 * a + 0.1))) / 10,
);

test('the ROC area is the share of pairs that are in the right order, ties counted half', () => {
  let [pairs, right] = [0, 0];
  for (let i = 0; i < N; i++) {
    for (let j = 0; j < N; j++) {
      if (!isAttack[i] || isAttack[j]) continue;
      pairs++;
      right += score[i]! > score[j]! ? 1 : score[i] === score[j] ? 0.5 : 0;
    }
  }
  assert.ok(Math.abs(rocAuc(curve(score, isAttack)) - right / pairs) < 1e-12);
});

test('average precision of a worked example', () => {
  // Ranks: 1 attack (precision 1), 2 benign, 3 attack (2/3), 4 benign, 5 attack (3/5).
  const score = Float32Array.of(0.9, 0.8, 0.7, 0.6, 0.5);
  const isAttack = Uint8Array.of(1, 0, 1, 0, 1);
  const half = curveFigures(score, isAttack, 0.5);
  assert.ok(Math.abs(half.prAuc - (1 + 2 / 3 + 3 / 5) / 3) < 1e-12);
  assert.ok(Math.abs(half.recallAtBudget - 2 / 3) < 1e-12);
  assert.equal(curveFigures(score, isAttack, 0).recallAtBudget, 1 / 3);
});

test('the figures without the points of a curve are those of the curve, ties and all', () => {
  const random = createRandom(9);
  const isAttack = Uint8Array.from({ length: 3000 }, () => random.below(2));
  const score = Float32Array.from(isAttack, (a) => Math.round(20 * (random.next() + 0.3 * a)) / 20);
  const { rocAuc: area } = curveFigures(score, isAttack, 0.01);
  assert.ok(Math.abs(area - rocAuc(curve(score, isAttack))) < 1e-12);
  assert.ok(area > 0.6 && area < 0.95);
  const broken = curveFigures(Float32Array.of(NaN, 0.5), Uint8Array.of(1, 0), 0.5);
  assert.ok(Number.isFinite(broken.rocAuc), 'a score that is none ends, too');
});

test('the threshold spends the budget and not a row more, with ties and without', () => {
  const benign = score.filter((_, i) => isAttack[i] === 0);
  for (const budget of [0, 0.01, 0.05, 0.2]) {
    const threshold = thresholdForBudget(benign, budget);
    const alarms = benign.filter((s) => s >= threshold).length;
    assert.ok(alarms <= budget * benign.length, `${alarms} alarms at ${budget}`);
    const lower = Math.max(...benign.filter((s) => s < threshold));
    const next = benign.filter((s) => s >= lower).length;
    assert.ok(next > budget * benign.length, 'a lower threshold would overspend');
  }
  assert.ok(nextFloat32(0.5) > 0.5 && nextFloat32(0.5) - 0.5 < 1e-7);
});

test('a classifier alarms below even odds only where the benign rows suffice to count its false alarms', () => {
  const nearZero = (rows: number): Float32Array => Float32Array.from({ length: rows }, (_, r) => r / rows / 1e6);
  assert.equal(chooseThreshold(nearZero(1000), 0.005, false), 0.5, 'five alarms cannot be counted');
  assert.ok(chooseThreshold(nearZero(2000), 0.005, false) < 1e-6, 'ten can');
  assert.ok(chooseThreshold(nearZero(1000), 0.005, true) < 1e-6, 'an error of an autoencoder is no probability');
  const high = Float32Array.from({ length: 100 }, (_, r) => 0.9 + r / 1000);
  assert.ok(chooseThreshold(high, 0.005, false) > 0.99, 'the budget still holds');
});

test('pooled adjacent violators give the least-squares rising fit', () => {
  const fitted = fitIsotonic(score, isAttack);
  assert.equal(fitted.method, 'isotonic');
  const levels = [...new Set(score)].sort((a, b) => a - b);
  const values = levels.map((l) => calibrate(fitted, l));
  for (let i = 1; i < values.length; i++) assert.ok(values[i]! >= values[i - 1]!);
  // Brute force over all ways to cut the levels into runs; best rising one by squared error.
  const rows = levels.map((l) => isAttack.filter((_, i) => score[i] === l));
  let best = { error: Infinity, fit: [] as number[] };
  for (let cuts = 0; cuts < 1 << (levels.length - 1); cuts++) {
    const fit: number[] = [];
    let error = 0;
    for (let i = 0, start = 0; i < levels.length; i++) {
      if (i + 1 < levels.length && ((cuts >> i) & 1) === 0) continue;
      const run = rows.slice(start, i + 1).flatMap((r) => [...r]);
      const mean = run.reduce((a, b) => a + b, 0) / run.length;
      error += run.reduce((sum, y) => sum + (y - mean) ** 2, 0);
      for (let k = start; k <= i; k++) fit.push((mean * run.length + 0.5) / (run.length + 1));
      start = i + 1;
    }
    if (fit.every((v, k) => k === 0 || v >= fit[k - 1]! - 0.02) && isRising(rows, cuts) && error < best.error - 1e-12)
      best = { error, fit };
  }
  for (const [i, v] of values.entries())
    assert.ok(Math.abs(v - best.fit[i]!) < 0.02, `level ${levels[i]}: ${v} ${best.fit[i]}`);
});

function isRising(rows: Uint8Array[], cuts: number): boolean {
  const means: number[] = [];
  for (let i = 0, start = 0; i < rows.length; i++) {
    if (i + 1 < rows.length && ((cuts >> i) & 1) === 0) continue;
    const run = rows.slice(start, i + 1).flatMap((r) => [...r]);
    means.push(run.reduce((a, b) => a + b, 0) / run.length);
    start = i + 1;
  }
  return means.every((m, i) => i === 0 || m >= means[i - 1]!);
}

test('Platt and temperature find the distortion that was put in', () => {
  const r = createRandom(4);
  const odds = Float64Array.from({ length: 20_000 }, () => 2 * r.normal());
  const y = Uint8Array.from(odds, (z) => (r.next() < 1 / (1 + Math.exp(-z)) ? 1 : 0));
  const sharpened = odds.map((z) => 1 / (1 + Math.exp(-3 * z)));
  const temperature = fitTemperature(sharpened, y);
  assert.ok(temperature.method === 'temperature' && Math.abs(temperature.temperature - 3) < 0.15);
  const shifted = odds.map((z) => 1 / (1 + Math.exp(-(2 * z + 1))));
  const platt = fitPlatt(shifted, y);
  // logit = 2 z + 1, so z = (logit - 1) / 2: a = -1/2, b = 1/2.
  assert.ok(platt.method === 'platt' && Math.abs(platt.a + 0.5) < 0.03 && Math.abs(platt.b - 0.5) < 0.06);
});

test('the amount of labels decides the method, and calibration never reorders scores', () => {
  const few = { score: score.subarray(0, 60), y: isAttack.subarray(0, 60) };
  assert.equal(fitCalibration(score.subarray(0, 5), isAttack.subarray(0, 5)).method, 'none');
  const platt = fitCalibration(few.score, few.y);
  assert.equal(platt.method, 'platt');
  const many = {
    score: Float32Array.from({ length: 2000 }, (_, i) => score[i % N]!),
    y: Uint8Array.from({ length: 2000 }, (_, i) => isAttack[i % N]!),
  };
  const isotonic = fitCalibration(many.score, many.y);
  assert.equal(isotonic.method, 'isotonic');
  const methods: Calibration[] = [platt, isotonic, { method: 'none' }, { method: 'temperature', temperature: 2 }];
  for (const method of methods) {
    for (let s = 0; s < 1; s += 0.01) {
      const [a, b] = [calibrate(method, s), calibrate(method, s + 0.01)];
      assert.ok(a <= b + 1e-12 && a >= 0 && b <= 1, `${method.method} at ${s}`);
    }
  }
});

test("a card's figures are those of a count by hand", () => {
  const table = syntheticTable(5, 1);
  table.label.set([0, 1, 2, 0, 1]);
  const labelled = { ...table, labels: ['benign', 'flood', 'scan'] };
  const classes = makeClasses(labelled, 'label', 0);
  // Classes: benign, flood, scan. Probabilities by hand; row 3 is a false alarm, row 4 is missed.
  const probabilities = Float32Array.from([
    0.9, 0.05, 0.05, 0.1, 0.8, 0.1, 0.2, 0.5, 0.3, 0.4, 0.1, 0.5, 0.8, 0.1, 0.1,
  ]);
  const scores = { score: Float32Array.from([0.1, 0.9, 0.8, 0.6, 0.2]), probabilities };
  const m = measure(labelled, classes, scores, {
    classes: classes.names,
    threshold: 0.5,
    calibration: { method: 'none' },
    falsePositiveBudget: 0.5,
  });
  assert.deepEqual(m.confusion.counts, [
    [1, 0, 1],
    [1, 1, 0],
    [0, 1, 0],
  ]);
  assert.equal(m.falsePositiveRate, 0.5);
  assert.equal(m.recall, 2 / 3);
  assert.equal(m.precision, 2 / 3);
  assert.equal(m.accuracy, 3 / 5);
  assert.deepEqual(m.perClass[1], { label: 'flood', rows: 2, precision: 0.5, recall: 0.5, f1: 0.5 });
  assert.deepEqual(
    m.perLabel.find((l) => l.label === 'scan'),
    { label: 'scan', rows: 1, detected: 1 },
  );
  assert.ok(Math.abs(m.brier - (0.01 + 0.01 + 0.04 + 0.36 + 0.64) / 5) < 1e-7);
});

test('drift is silent on the same distribution and alarms on another', () => {
  const r = createRandom(2);
  const sample = (shift: number): Float64Array => Float64Array.from({ length: 5000 }, () => r.normal() + shift);
  const then = baseline(sample(0));
  assert.ok(stabilityIndex(then.shares, sharesOf(sample(0), then.edges)) < 0.02);
  assert.ok(stabilityIndex(then.shares, sharesOf(sample(1), then.edges)) > 0.25);
  assert.ok(binnedKs(then.shares, sharesOf(sample(0), then.edges)) < 0.05);
  // The largest gap between N(0,1) and N(1,1) is at 0.5: 2 * Phi(0.5) - 1 = 0.383; ten bins have an edge near it.
  assert.ok(Math.abs(binnedKs(then.shares, sharesOf(sample(1), then.edges)) - 0.383) < 0.04);
});
