import { binTable } from './bins.js';
import { evaluateEnsemble, type Ensemble, type Tree } from './ensemble.js';
import { TreeGrower, type GrowOptions } from './grower.js';
import type { TreeKernel } from './kernel.js';

export interface BoostingOptions extends GrowOptions {
  rounds: number;
  /** Stop when the loss on validation rows has not fallen for so many rounds; 0 never stops early. */
  patience: number;
  onProgress?: (done: number, total: number) => void;
  makeKernel?: (memory: WebAssembly.Memory) => TreeKernel;
}

export const BOOSTING_DEFAULTS: BoostingOptions = {
  rounds: 100,
  maxLeaves: 63,
  learningRate: 0.1,
  lambda: 1,
  minHessian: 1,
  minGain: 0,
  patience: 10,
};

export interface BoostingData {
  x: Float32Array;
  rows: number;
  columns: number;
  y: Uint8Array;
  weight: Float32Array;
  classes: number;
  /** Rows that only watch the loss. */
  validation?: { x: Float32Array; rows: number; y: Uint8Array; weight: Float32Array };
}

/**
 * Gradient-boosted trees (Friedman, 2001; second order as Chen and Guestrin, 2016), leaf-wise on histograms. Two
 * classes: one output, the log-odds of class 1. More: one output a class, for softmax.
 */
export function trainBoosting(data: BoostingData, options: BoostingOptions): Ensemble {
  const outputs = data.classes === 2 ? 1 : data.classes;
  const binned = binTable(data.x, data.rows, data.columns);
  const grower = new TreeGrower(binned, outputs, options, options.makeKernel);
  const base = priors(data, outputs);
  for (const [o, scores] of grower.scores.entries()) scores.fill(base[o]!);
  const ensemble: Ensemble = { trees: [], base };
  const watch = data.validation && options.patience > 0 ? new LossWatch(data.validation, base) : undefined;
  const shares = new Float64Array(outputs === 1 ? 0 : data.rows * outputs);
  for (let round = 0; round < options.rounds; round++) {
    if (outputs > 1) softmaxRows(grower.scores, shares);
    const grown: Tree[] = [];
    for (let o = 0; o < outputs; o++) {
      if (outputs === 1) binaryGradients(data, grower.scores[0]!, grower.pairs);
      else classGradients(data, shares, o, outputs, grower.pairs);
      grown.push(grower.grow(o));
    }
    ensemble.trees.push(...grown);
    options.onProgress?.(round + 1, options.rounds);
    if (watch?.add(grown, round) === options.patience) break;
    if (grown.every((t) => t.feature.length === 1)) break;
  }
  if (watch) ensemble.trees.length = (watch.bestRound + 1) * outputs;
  return ensemble;
}

/** Log-odds or log-shares of the classes: what the model answers without trees. */
function priors(data: BoostingData, outputs: number): Float64Array {
  const share = new Float64Array(data.classes);
  let total = 0;
  for (let r = 0; r < data.rows; r++) {
    share[data.y[r]!]! += data.weight[r]!;
    total += data.weight[r]!;
  }
  const log = share.map((s) => Math.log(Math.max(s, 1e-6) / total));
  return outputs === 1 ? Float64Array.of(Math.fround(log[1]! - log[0]!)) : log.map((l) => Math.fround(l));
}

function binaryGradients(data: BoostingData, scores: Float64Array, pairs: Float64Array): void {
  const { y, weight, rows } = data;
  for (let r = 0; r < rows; r++) {
    const p = 1 / (1 + Math.exp(-scores[r]!));
    const w = weight[r]!;
    pairs[2 * r] = w * (p - y[r]!);
    pairs[2 * r + 1] = w * Math.max(p * (1 - p), 1e-16);
  }
}

function softmaxRows(scores: readonly Float64Array[], shares: Float64Array): void {
  const k = scores.length;
  const rows = scores[0]!.length;
  for (let r = 0; r < rows; r++) {
    let top = -Infinity;
    for (let o = 0; o < k; o++) top = Math.max(top, scores[o]![r]!);
    let sum = 0;
    for (let o = 0; o < k; o++) sum += shares[r * k + o] = Math.exp(scores[o]![r]! - top);
    for (let o = 0; o < k; o++) shares[r * k + o]! /= sum;
  }
}

function classGradients(
  data: BoostingData,
  shares: Float64Array,
  output: number,
  k: number,
  pairs: Float64Array,
): void {
  for (let r = 0; r < data.rows; r++) {
    const p = shares[r * k + output]!;
    const w = data.weight[r]!;
    pairs[2 * r] = w * (p - (data.y[r] === output ? 1 : 0));
    pairs[2 * r + 1] = w * Math.max(2 * p * (1 - p), 1e-16);
  }
}

/** Log loss on rows that no tree has seen. */
class LossWatch {
  bestRound = -1;
  private best = Infinity;
  private readonly scores: Float64Array[];
  private readonly rows: NonNullable<BoostingData['validation']>;

  constructor(rows: NonNullable<BoostingData['validation']>, base: Float64Array) {
    this.rows = rows;
    this.scores = Array.from({ length: rows.rows }, () => Float64Array.from(base));
  }

  /** @returns rounds since the best one. */
  add(trees: Tree[], round: number): number {
    const { x, y, weight } = this.rows;
    const columns = x.length / Math.max(1, this.rows.rows);
    const zero = new Float64Array(this.scores[0]?.length ?? 1);
    const out = new Float64Array(zero.length);
    let loss = 0;
    for (const [r, scores] of this.scores.entries()) {
      evaluateEnsemble({ trees, base: zero }, x, r * columns, out);
      for (let o = 0; o < out.length; o++) scores[o]! += out[o]!;
      loss -= weight[r]! * Math.log(Math.max(1e-15, probabilitiesOf(scores)[y[r]!]!));
    }
    if (loss < this.best) {
      this.best = loss;
      this.bestRound = round;
    }
    return round - this.bestRound;
  }
}

/** Class probabilities from raw outputs: sigmoid of one, softmax of several. */
export function probabilitiesOf(raw: Float64Array): Float64Array {
  if (raw.length === 1) {
    const p = 1 / (1 + Math.exp(-raw[0]!));
    return Float64Array.of(1 - p, p);
  }
  const top = Math.max(...raw);
  const e = raw.map((v) => Math.exp(v - top));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}
