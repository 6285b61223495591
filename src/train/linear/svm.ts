import { createRandom, range, shuffle } from '../random.js';

export interface SvmOptions {
  /** Cost of a margin violation. */
  cost: number;
  epochs: number;
  seed: number;
}

/**
 * Linear support vector machine with hinge loss by dual coordinate descent (Hsieh et al., 2008, as in liblinear);
 * the bias is the weight of a column of ones.
 * @param sign +1 or -1 of each row.
 */
export function trainLinearSvm(
  data: { x: Float32Array; rows: number; width: number; sign: Int8Array; weight: Float32Array },
  options: SvmOptions,
): { weights: Float64Array; bias: number } {
  const { x, rows, width, sign, weight } = data;
  const alpha = new Float64Array(rows);
  const norm = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    let sum = 1;
    for (let d = 0; d < width; d++) sum += x[r * width + d]! ** 2;
    norm[r] = sum;
  }
  const w = new Float64Array(width);
  let bias = 0;
  const order = range(rows);
  const random = createRandom(options.seed);
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, random);
    let worst = 0;
    for (const r of order) {
      const at = r * width;
      const s = sign[r]!;
      let margin = bias;
      for (let d = 0; d < width; d++) margin += w[d]! * x[at + d]!;
      const slope = s * margin - 1;
      const limit = options.cost * weight[r]!;
      const a = alpha[r]!;
      const projected = a <= 0 ? Math.min(slope, 0) : a >= limit ? Math.max(slope, 0) : slope;
      worst = Math.max(worst, Math.abs(projected));
      if (projected === 0) continue;
      const next = Math.min(limit, Math.max(0, a - slope / norm[r]!));
      const step = (next - a) * s;
      alpha[r] = next;
      for (let d = 0; d < width; d++) w[d]! += step * x[at + d]!;
      bias += step;
    }
    if (worst < 0.01) break;
  }
  return { weights: w, bias };
}

/** Random Fourier features (Rahimi and Recht, 2007): sqrt(2/n) cos(x W + b) stands in for exp(-gamma |x - y|^2). */
export interface FourierMap {
  /** [width, features] row-major. */
  directions: Float32Array;
  phases: Float32Array;
  scale: number;
}

export function fourierMap(width: number, features: number, gamma: number, seed: number): FourierMap {
  const random = createRandom(seed);
  const spread = Math.sqrt(2 * gamma);
  return {
    directions: Float32Array.from({ length: width * features }, () => spread * random.normal()),
    phases: Float32Array.from({ length: features }, () => 2 * Math.PI * random.next()),
    scale: Math.fround(Math.sqrt(2 / features)),
  };
}

export function applyFourier(map: FourierMap, x: Float32Array, at: number, out: Float32Array, outAt: number): void {
  const n = map.phases.length;
  const width = map.directions.length / n;
  const sums = Float64Array.from(map.phases);
  for (let d = 0; d < width; d++) {
    const v = x[at + d]!;
    if (v === 0) continue;
    for (let j = 0; j < n; j++) sums[j]! += v * map.directions[d * n + j]!;
  }
  for (let j = 0; j < n; j++) out[outAt + j] = map.scale * Math.cos(sums[j]!);
}
