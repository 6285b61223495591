import { separator } from './ensemble.js';

/** Bins a feature may have; the code after its last one is for missing values. */
export const MAX_BINS = 255;

/** Each feature's values as small integers: bin b holds values v with edges[b-1] < v <= edges[b]. */
export interface Binned {
  rows: number;
  columns: number;
  /** Row-major codes. A missing value has code `bins[f]`. */
  codes: Uint8Array;
  /** Upper edges between bins, float32: one fewer than bins. */
  edges: Float32Array[];
  /** Bins of each feature, without the one for missing values. */
  bins: Int32Array;
  hasMissing: Uint8Array;
}

/**
 * Quantile bins from a sample of rows; few distinct values get one bin each. Edges are separators between two
 * neighbouring values, so a tree's threshold divides float32 data exactly.
 */
export function binTable(x: Float32Array, rows: number, columns: number, maxBins = MAX_BINS): Binned {
  const codes = new Uint8Array(rows * columns);
  const edges: Float32Array[] = [];
  const bins = new Int32Array(columns);
  const hasMissing = new Uint8Array(columns);
  const step = Math.max(1, Math.floor(rows / 200_000));
  for (let f = 0; f < columns; f++) {
    const sample = new Float32Array(Math.ceil(rows / step));
    let n = 0;
    for (let r = 0; r < rows; r += step) {
      const v = x[r * columns + f]!;
      if (v === v) sample[n++] = v;
    }
    const edge = quantileEdges(sample.subarray(0, n).sort(), maxBins);
    edges.push(edge);
    bins[f] = edge.length + 1;
    const missing = edge.length + 1;
    for (let r = 0; r < rows; r++) {
      const v = x[r * columns + f]!;
      if (v === v) codes[r * columns + f] = lowerBound(edge, v);
      else {
        codes[r * columns + f] = missing;
        hasMissing[f] = 1;
      }
    }
  }
  return { rows, columns, codes, edges, bins, hasMissing };
}

/** First index whose edge is >= v. */
export function lowerBound(edges: Float32Array, v: number): number {
  let lo = 0;
  let hi = edges.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (edges[mid]! < v) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** Edges from sorted values: one between each two distinct ones, or about equal shares when there are too many. */
function quantileEdges(sorted: Float32Array, maxBins: number): Float32Array {
  const distinct: number[] = [];
  const counts: number[] = [];
  for (const v of sorted) {
    // -0 and 0 compare equal and share a bin.
    if (distinct.length > 0 && v === distinct[distinct.length - 1]) counts[counts.length - 1]!++;
    else {
      distinct.push(v);
      counts.push(1);
    }
  }
  const edges: number[] = [];
  if (distinct.length <= maxBins) {
    for (let i = 1; i < distinct.length; i++) edges.push(separator(distinct[i - 1]!, distinct[i]!));
    return Float32Array.from(edges);
  }
  // Values that fill more than one share get a bin of their own; the rest divide what is left.
  let left = sorted.length;
  let open = maxBins;
  let filled = 0;
  for (let i = 0; i + 1 < distinct.length && edges.length < maxBins - 1; i++) {
    const share = left / open;
    filled += counts[i]!;
    if (filled >= share || counts[i + 1]! >= share) {
      edges.push(separator(distinct[i]!, distinct[i + 1]!));
      left -= filled;
      open = Math.max(1, open - 1);
      filled = 0;
    }
  }
  return Float32Array.from(edges);
}
