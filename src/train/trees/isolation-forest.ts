import { createRandom, shuffle, type Random } from '../random.js';
import { separator, TreeBuilder, type Ensemble, type Tree } from './ensemble.js';

export const ISOLATION_DEFAULTS = { trees: 100, sample: 2048 };
/** How far cuts may lie beyond the largest value of a node's rows, as a share of the range of these, both as logarithms. */
const MARGIN = 1;
const MAX_FLOAT32 = 3.4028234663852886e38;

/** Mean path length of an unsuccessful search in a binary search tree of n keys: the yardstick of Liu et al. */
export function meanPathLength(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + 0.5772156649015329) - (2 * (n - 1)) / n;
}

/**
 * Isolation forest (Liu, Ting and Zhou, 2008): random cuts isolate what is rare in few steps. Each leaf holds its
 * depth plus the mean path of the rows left in it, divided by the number of trees, so the output is the mean path.
 * Missing values go right.
 *
 * Two things differ from the paper. Cuts are uniform in signed log(1 + |x|), because most amounts of traffic are skewed. And
 * they may lie beyond the rows of a node: what is larger than all of them is then alone. The paper's trees cannot tell a
 * value a thousand times the largest of the sample from this one itself (docs/models.md has what it makes). Robust random cut
 * forests (Guha et al., 2016) get the same from cuts over the box of the rows and the row that is judged.
 */
export function trainIsolationForest(
  data: { x: Float32Array; rows: number; columns: number },
  options: { trees: number; sample: number; seed: number; onProgress?: (done: number, total: number) => void },
): Ensemble {
  const sample = Math.min(options.sample, data.rows);
  const maxDepth = Math.ceil(Math.log2(Math.max(2, sample)));
  const trees: Tree[] = [];
  for (let t = 0; t < options.trees; t++) {
    const random = createRandom(options.seed).fork(t);
    const builder = new TreeBuilder(1);
    grow(data, builder, pickRows(data.rows, sample, random), { depth: 0, maxDepth, trees: options.trees, random });
    trees.push(builder.finish(0));
    options.onProgress?.(t + 1, options.trees);
  }
  return { trees, base: new Float64Array(1) };
}

function pickRows(rows: number, sample: number, random: Random): number[] {
  if (sample >= rows) return Array.from({ length: rows }, (_, r) => r);
  const chosen = new Set<number>();
  while (chosen.size < sample) chosen.add(random.below(rows));
  const out = [...chosen];
  shuffle(out, random);
  return out;
}

interface Growth {
  depth: number;
  maxDepth: number;
  trees: number;
  random: Random;
}

/** Grows below the rows; returns the node and the mean path length of its rows. */
function grow(
  data: { x: Float32Array; columns: number },
  builder: TreeBuilder,
  rows: number[],
  at: Growth,
): { node: number; path: number } {
  const node = builder.leaf([0], rows.length);
  const cut = at.depth < at.maxDepth && rows.length > 1 ? randomCut(data, rows, at.random) : undefined;
  let path = at.depth + meanPathLength(rows.length);
  if (cut) {
    const goesLeft = (r: number): boolean => {
      const v = data.x[r * data.columns + cut.feature]!;
      return v <= cut.threshold || (cut.isBeyond && Number.isNaN(v));
    };
    builder.split(node, cut.feature, cut.threshold, cut.isBeyond);
    const leftRows = rows.filter(goesLeft);
    const left = grow(data, builder, leftRows, { ...at, depth: at.depth + 1 });
    const right = grow(
      data,
      builder,
      rows.filter((r) => !goesLeft(r)),
      { ...at, depth: at.depth + 1 },
    );
    builder.left[node] = left.node;
    builder.right[node] = right.node;
    path = (left.path * leftRows.length + right.path * (rows.length - leftRows.length)) / rows.length;
  }
  builder.value[node] = path / at.trees;
  return { node, path };
}

interface Cut {
  feature: number;
  threshold: number;
  /** Beyond the rows: a missing value stays with them then, it is not what is alone. */
  isBeyond: boolean;
}

/** A random feature that varies among the rows, cut at a uniform point of its range and the margin beyond. */
function randomCut(
  data: { x: Float32Array; columns: number },
  rows: readonly number[],
  random: Random,
): Cut | undefined {
  const order = Array.from({ length: data.columns }, (_, f) => f);
  for (let k = 0; k < order.length; k++) {
    const j = k + random.below(order.length - k);
    const feature = order[j]!;
    order[j] = order[k]!;
    let low = Infinity;
    let high = -Infinity;
    for (const r of rows) {
      const v = data.x[r * data.columns + feature]!;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    if (!(low < high)) continue;
    const [from, to] = [signedLog(low), signedLog(high)];
    const point = Math.fround(fromSignedLog(from + random.next() * (1 + MARGIN) * (to - from)));
    if (point >= high) return { feature, threshold: Math.min(point, MAX_FLOAT32), isBeyond: true };
    return { feature, threshold: point >= low ? point : separator(low, high), isBeyond: false };
  }
  return undefined;
}

function signedLog(v: number): number {
  return Math.sign(v) * Math.log1p(Math.abs(v));
}

function fromSignedLog(v: number): number {
  return Math.sign(v) * Math.expm1(Math.abs(v));
}
