/** Distances to class means under one shared covariance: |x W - centre| with W such that W W' is its inverse. */
export interface Mahalanobis {
  /** [n, n] row-major. */
  whitening: Float32Array;
  /** Whitened class means, [classes, n] row-major; classes without rows are left out. */
  centres: Float32Array;
}

/** Added to the covariance's diagonal, relative to its mean: units that never fire must not blow up. */
const RIDGE = 1e-3;

/** Fits on the first rows of `y` that `x` has. */
export function fitMahalanobis(x: Float32Array, n: number, y: Uint8Array, classes: number): Mahalanobis {
  const rows = x.length / n;
  const counts = new Float64Array(classes);
  const means = new Float64Array(classes * n);
  for (let r = 0; r < rows; r++) {
    counts[y[r]!]!++;
    for (let i = 0; i < n; i++) means[y[r]! * n + i]! += x[r * n + i]!;
  }
  for (let c = 0; c < classes; c++) for (let i = 0; i < n; i++) means[c * n + i]! /= Math.max(1, counts[c]!);
  const covariance = new Float64Array(n * n);
  const d = new Float64Array(n);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) d[i] = x[r * n + i]! - means[y[r]! * n + i]!;
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) covariance[i * n + j]! += (d[i]! * d[j]!) / rows;
  }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += covariance[i * n + i]!;
  for (let i = 0; i < n; i++) covariance[i * n + i]! += (RIDGE * trace) / n + 1e-9;
  const whitening = inverseFactor(cholesky(covariance, n), n);
  const centres: number[] = [];
  for (let c = 0; c < classes; c++) {
    if (counts[c] === 0) continue;
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = 0; i < n; i++) sum += means[c * n + i]! * whitening[i * n + j]!;
      centres.push(sum);
    }
  }
  return { whitening: Float32Array.from(whitening), centres: Float32Array.from(centres) };
}

/** Lower triangle L with L L' = the symmetric matrix whose lower triangle is given. */
function cholesky(a: Float64Array, n: number): Float64Array {
  const l = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * n + k]! * l[j * n + k]!;
      l[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / l[j * n + j]!;
    }
  }
  return l;
}

/** The transpose of L's inverse: x times it has unit covariance. */
function inverseFactor(l: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let c = 0; c < n; c++) {
    for (let i = c; i < n; i++) {
      let sum = i === c ? 1 : 0;
      for (let k = c; k < i; k++) sum -= l[i * n + k]! * out[c * n + k]!;
      out[c * n + i] = sum / l[i * n + i]!;
    }
  }
  return out;
}
