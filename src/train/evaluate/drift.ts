/** Shares of a sample in bins: what later samples are compared with. */
export interface Baseline {
  /** Inner edges, rising; bin i holds values v with edges[i-1] < v <= edges[i]. */
  edges: number[];
  shares: number[];
}

export const DRIFT_NOTE = 0.1;
export const DRIFT_ALARM = 0.25;
/** Rows below which a window says nothing. */
export const DRIFT_MIN_ROWS = 1000;

/** Ten quantile bins (fewer when values repeat); missing values are left out. */
export function baseline(values: Iterable<number>, bins = 10): Baseline {
  const sorted = Float64Array.from(values)
    .filter((v) => !Number.isNaN(v))
    .sort();
  const edges: number[] = [];
  for (let i = 1; i < bins; i++) {
    const edge = sorted[Math.floor((i * sorted.length) / bins)];
    if (edge !== undefined && edge !== edges[edges.length - 1] && edge < sorted[sorted.length - 1]!) edges.push(edge);
  }
  return { edges, shares: sharesOf(sorted, edges) };
}

/** Share of the values in each bin. */
export function sharesOf(values: Iterable<number>, edges: readonly number[]): number[] {
  const counts = new Array<number>(edges.length + 1).fill(0);
  let n = 0;
  for (const v of values) {
    if (Number.isNaN(v)) continue;
    let b = 0;
    while (b < edges.length && v > edges[b]!) b++;
    counts[b]!++;
    n++;
  }
  return counts.map((c) => (n > 0 ? c / n : 0));
}

/** Population stability index: sum of (now - then) * ln(now / then), empty bins counted as 1e-4. */
export function stabilityIndex(then: readonly number[], now: readonly number[]): number {
  let psi = 0;
  for (const [i, share] of then.entries()) {
    const a = Math.max(1e-4, share);
    const b = Math.max(1e-4, now[i] ?? 0);
    psi += (b - a) * Math.log(b / a);
  }
  return psi;
}

/** Kolmogorov-Smirnov distance on binned shares, 0..1: the largest gap of the cumulative shares at the bins' edges. */
export function binnedKs(then: readonly number[], now: readonly number[]): number {
  let [a, b, gap] = [0, 0, 0];
  for (const [i, share] of then.entries()) {
    a += share;
    b += now[i] ?? 0;
    gap = Math.max(gap, Math.abs(a - b));
  }
  return gap;
}
