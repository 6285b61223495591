import { minimise } from './minimise.js';

export interface LogisticOptions {
  l1: number;
  l2: number;
  maxSteps: number;
  onProgress?: (done: number, total: number) => void;
}

/** `weights[output * width + column]`, then one bias an output. Two classes have one output, the log-odds of class 1. */
export interface LinearModel {
  outputs: number;
  width: number;
  weights: Float64Array;
  bias: Float64Array;
}

/** Logistic regression, multinomial for more than two classes; penalties on the mean loss, biases free. */
export function trainLogistic(
  data: { x: Float32Array; rows: number; width: number; y: Uint8Array; weight: Float32Array; classes: number },
  options: LogisticOptions,
): LinearModel {
  const { x, rows, width, y, weight } = data;
  const k = data.classes === 2 ? 1 : data.classes;
  const size = k * width;
  const w = new Float64Array(size + k);
  const total = weight.reduce((a, b) => a + b, 0);
  const scores = new Float64Array(k);
  minimise(
    (v, gradient) => {
      gradient.fill(0);
      let loss = 0;
      for (let r = 0; r < rows; r++) {
        const at = r * width;
        for (let o = 0; o < k; o++) {
          let sum = v[size + o]!;
          for (let d = 0, i = o * width; d < width; d++, i++) sum += v[i]! * x[at + d]!;
          scores[o] = sum;
        }
        loss += weight[r]! * residuals(scores, y[r]!);
        for (let o = 0; o < k; o++) {
          const g = (weight[r]! * scores[o]!) / total;
          gradient[size + o]! += g;
          for (let d = 0, i = o * width; d < width; d++, i++) gradient[i]! += g * x[at + d]!;
        }
      }
      let value = loss / total;
      for (let i = 0; i < size; i++) {
        value += 0.5 * options.l2 * v[i]! * v[i]!;
        gradient[i]! += options.l2 * v[i]!;
      }
      return value;
    },
    w,
    { ...options, tolerance: 1e-6, penalised: size },
  );
  return { outputs: k, width, weights: w.slice(0, size), bias: w.slice(size) };
}

/** Turns scores into probability less target, in place, and returns the log loss. */
function residuals(scores: Float64Array, y: number): number {
  if (scores.length === 1) {
    const z = scores[0]!;
    const p = 1 / (1 + Math.exp(-z));
    scores[0] = p - y;
    return Math.log1p(Math.exp(-Math.abs(z))) + (y === 1 ? Math.max(0, -z) : Math.max(0, z));
  }
  let top = -Infinity;
  for (const s of scores) top = Math.max(top, s);
  let sum = 0;
  for (let o = 0; o < scores.length; o++) sum += scores[o] = Math.exp(scores[o]! - top);
  for (let o = 0; o < scores.length; o++) scores[o]! /= sum;
  const loss = -Math.log(Math.max(scores[y]!, 1e-300));
  scores[y]! -= 1;
  return loss;
}

/** Outputs of one encoded row in float64. */
export function linearOutputs(model: LinearModel, x: Float32Array, at: number): Float64Array {
  return Float64Array.from({ length: model.outputs }, (_, o) => {
    let sum = model.bias[o]!;
    for (let d = 0; d < model.width; d++) sum += model.weights[o * model.width + d]! * x[at + d]!;
    return sum;
  });
}
