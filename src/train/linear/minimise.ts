/** A smooth function: returns its value at `w` and writes its gradient. */
export type Objective = (w: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  maxSteps: number;
  /** Stop when the relative fall of the value is below this. */
  tolerance: number;
  /** Weight of sum(|w|) over the first `penalised` parameters; 0 is plain L-BFGS. */
  l1: number;
  penalised: number;
  onProgress?: (done: number, total: number) => void;
}

const HISTORY = 8;

/** L-BFGS (Nocedal, 1980), and OWL-QN (Andrew and Gao, 2007) when there is an L1 penalty. Changes `w` in place. */
export function minimise(
  objective: Objective,
  w: Float64Array,
  options: MinimiseOptions,
): { value: number; steps: number } {
  const n = w.length;
  const { l1, penalised } = options;
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  const gradient = new Float64Array(n);
  const penalty = (v: Float64Array): number => {
    let sum = 0;
    if (l1 > 0) for (let i = 0; i < penalised; i++) sum += Math.abs(v[i]!);
    return l1 * sum;
  };
  let value = objective(w, gradient) + penalty(w);
  let steps = 0;
  for (; steps < options.maxSteps; steps++) {
    const steep = l1 > 0 ? pseudoGradient(w, gradient, l1, penalised) : gradient;
    const direction = twoLoop(steep, pairs);
    // Leaving the descent's orthant would let the penalty's kink lie about the slope.
    if (l1 > 0) for (let i = 0; i < n; i++) if (direction[i]! * steep[i]! >= 0) direction[i] = 0;
    let slope = dot(direction, steep);
    if (slope >= 0) {
      if (pairs.length === 0) break;
      pairs.length = 0;
      continue;
    }
    let size = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(steep, steep))) : 1;
    const next = new Float64Array(n);
    const nextGradient = new Float64Array(n);
    let nextValue = Infinity;
    for (let attempt = 0; attempt < 30; attempt++, size /= 2) {
      for (let i = 0; i < n; i++) {
        const v = w[i]! + size * direction[i]!;
        const orthant = w[i]! !== 0 ? Math.sign(w[i]!) : -Math.sign(steep[i]!);
        next[i] = l1 > 0 && i < penalised && v * orthant < 0 ? 0 : v;
      }
      nextValue = objective(next, nextGradient) + penalty(next);
      if (nextValue <= value + 1e-4 * size * slope) break;
    }
    slope = value - nextValue;
    if (!(slope > 0)) break;
    remember(pairs, w, next, gradient, nextGradient);
    w.set(next);
    gradient.set(nextGradient);
    value = nextValue;
    options.onProgress?.(steps + 1, options.maxSteps);
    if (slope <= options.tolerance * Math.max(1, Math.abs(value))) break;
  }
  return { value, steps };
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The direction -H * gradient from the remembered steps. */
function twoLoop(gradient: Float64Array, pairs: { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = Float64Array.from(gradient, (g) => -g);
  const alpha = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y, rho } = pairs[k]!;
    alpha[k] = rho * dot(s, q);
    for (let i = 0; i < q.length; i++) q[i]! -= alpha[k]! * y[i]!;
  }
  const last = pairs[pairs.length - 1];
  if (last) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < q.length; i++) q[i]! *= scale;
  }
  for (const [k, { s, y, rho }] of pairs.entries()) {
    const beta = rho * dot(y, q);
    for (let i = 0; i < q.length; i++) q[i]! += (alpha[k]! - beta) * s[i]!;
  }
  return q;
}

function remember(
  pairs: { s: Float64Array; y: Float64Array; rho: number }[],
  w: Float64Array,
  next: Float64Array,
  gradient: Float64Array,
  nextGradient: Float64Array,
): void {
  const s = Float64Array.from(next, (v, i) => v - w[i]!);
  const y = Float64Array.from(nextGradient, (v, i) => v - gradient[i]!);
  const curvature = dot(s, y);
  if (curvature <= 1e-12) return;
  pairs.push({ s, y, rho: 1 / curvature });
  if (pairs.length > HISTORY) pairs.shift();
}

function pseudoGradient(w: Float64Array, gradient: Float64Array, l1: number, penalised: number): Float64Array {
  return gradient.map((g, i) => {
    if (i >= penalised) return g;
    if (w[i]! !== 0) return g + Math.sign(w[i]!) * l1;
    if (g + l1 < 0) return g + l1;
    return g - l1 > 0 ? g - l1 : 0;
  });
}
