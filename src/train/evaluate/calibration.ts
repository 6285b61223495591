import { logit, type Calibration } from '../../contract/model-card.js';

/** Labels of both kinds needed for isotonic; fewer get Platt, and below 10 of a kind nothing is fitted. */
const ISOTONIC_MIN = 300;
const PLATT_MIN = 10;

/** Fits what the amount of held-out data allows. */
export function fitCalibration(
  score: ArrayLike<number>,
  isAttack: ArrayLike<number>,
  prefer?: 'temperature',
): Calibration {
  let attacks = 0;
  for (let i = 0; i < score.length; i++) attacks += isAttack[i]! ? 1 : 0;
  const fewest = Math.min(attacks, score.length - attacks);
  if (fewest < PLATT_MIN) return { method: 'none' };
  if (prefer === 'temperature') return fitTemperature(score, isAttack);
  return fewest >= ISOTONIC_MIN ? fitIsotonic(score, isAttack) : fitPlatt(score, isAttack);
}

/** Isotonic regression by pool-adjacent-violators (Ayer et al., 1955), as knots; at most about 100 of them. */
export function fitIsotonic(score: ArrayLike<number>, isAttack: ArrayLike<number>): Calibration {
  const order = Uint32Array.from({ length: score.length }, (_, i) => i).sort((a, b) => score[a]! - score[b]!);
  interface Block {
    sum: number;
    n: number;
    low: number;
    high: number;
  }
  const blocks: Block[] = [];
  for (let i = 0; i < order.length; i++) {
    const s = score[order[i]!]!;
    const y = isAttack[order[i]!]! ? 1 : 0;
    const top = blocks[blocks.length - 1];
    if (top && top.high === s && top.low === s) {
      top.sum += y;
      top.n++;
    } else blocks.push({ sum: y, n: 1, low: s, high: s });
    if (i + 1 < order.length && score[order[i + 1]!]! === s) continue;
    for (let b = blocks.length - 1; b > 0; b--) {
      const right = blocks[b]!;
      const left = blocks[b - 1]!;
      if (left.sum / left.n < right.sum / right.n) break;
      blocks.splice(b - 1, 2, { sum: left.sum + right.sum, n: left.n + right.n, low: left.low, high: right.high });
    }
  }
  const x: number[] = [];
  const y: number[] = [];
  for (const b of blocks) {
    // Laplace's correction keeps small pure blocks from claiming certainty.
    const p = (b.sum + 0.5) / (b.n + 1);
    x.push(b.low);
    y.push(p);
    if (b.high > b.low) {
      x.push(b.high);
      y.push(p);
    }
  }
  for (let i = 1; i < y.length; i++) y[i] = Math.max(y[i]!, y[i - 1]!);
  return { method: 'isotonic', x, y };
}

/** Platt's sigmoid on the log-odds, with the targets and the safe Newton steps of Lin, Lin and Weng (2007). */
export function fitPlatt(score: ArrayLike<number>, isAttack: ArrayLike<number>): Calibration {
  const n = score.length;
  const f = Float64Array.from({ length: n }, (_, i) => logit(score[i]!));
  let positives = 0;
  for (let i = 0; i < n; i++) positives += isAttack[i]! ? 1 : 0;
  const high = (positives + 1) / (positives + 2);
  const low = 1 / (n - positives + 2);
  const target = Float64Array.from({ length: n }, (_, i) => (isAttack[i]! ? high : low));
  const loss = (a: number, b: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const z = a * f[i]! + b;
      sum += z >= 0 ? target[i]! * z + Math.log1p(Math.exp(-z)) : (target[i]! - 1) * z + Math.log1p(Math.exp(z));
    }
    return sum;
  };
  let a = 0;
  let b = Math.log((n - positives + 1) / (positives + 1));
  let current = loss(a, b);
  for (let step = 0; step < 100; step++) {
    let [h11, h22, h21, g1, g2] = [1e-12, 1e-12, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const z = a * f[i]! + b;
      const p = 1 / (1 + Math.exp(z));
      const d2 = p * (1 - p);
      const d1 = target[i]! - p;
      h11 += f[i]! * f[i]! * d2;
      h22 += d2;
      h21 += f[i]! * d2;
      g1 += f[i]! * d1;
      g2 += d1;
    }
    if (Math.abs(g1) < 1e-5 && Math.abs(g2) < 1e-5) break;
    const det = h11 * h22 - h21 * h21;
    const da = -(h22 * g1 - h21 * g2) / det;
    const db = -(-h21 * g1 + h11 * g2) / det;
    const slope = g1 * da + g2 * db;
    let size = 1;
    for (; size >= 1e-10; size /= 2) {
      const next = loss(a + size * da, b + size * db);
      if (next < current + 1e-4 * size * slope) {
        a += size * da;
        b += size * db;
        current = next;
        break;
      }
    }
    if (size < 1e-10) break;
  }
  return { method: 'platt', a, b };
}

/** One temperature for all log-odds (Guo et al., 2017), by golden-section search of the log loss. */
export function fitTemperature(score: ArrayLike<number>, isAttack: ArrayLike<number>): Calibration {
  const n = score.length;
  const loss = (logT: number): number => {
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const z = logit(score[i]!) / Math.exp(logT);
      sum += Math.log1p(Math.exp(isAttack[i]! ? -z : z));
    }
    return sum;
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [lo, hi] = [Math.log(0.05), Math.log(20)];
  for (let i = 0; i < 60; i++) {
    const left = hi - ratio * (hi - lo);
    const right = lo + ratio * (hi - lo);
    if (loss(left) < loss(right)) hi = right;
    else lo = left;
  }
  return { method: 'temperature', temperature: Math.exp((lo + hi) / 2) };
}
