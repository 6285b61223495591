import { createRandom, shuffle, type Random } from '../random.js';
import { separator, TreeBuilder, type Ensemble, type Tree } from './ensemble.js';

export const ISOLATION_DEFAULTS = { trees: 200, sample: 256 };

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
    const goesLeft = (r: number): boolean => data.x[r * data.columns + cut.feature]! <= cut.threshold;
    builder.split(node, cut.feature, cut.threshold, false);
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

/** A random feature that varies among the rows, cut at a uniform point of its range. */
function randomCut(
  data: { x: Float32Array; columns: number },
  rows: readonly number[],
  random: Random,
): { feature: number; threshold: number } | undefined {
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
    const point = Math.fround(low + random.next() * (high - low));
    return { feature, threshold: point >= low && point < high ? point : separator(low, high) };
  }
  return undefined;
}
