import { createRandom, type Random } from '../random.js';
import { binTable, type Binned } from './bins.js';
import { TreeBuilder, type Ensemble, type Tree } from './ensemble.js';
import { boundedShares, boundsOfChildren, FREE, keepsOrder, type Bounds } from './monotone.js';

export interface ForestOptions {
  trees: number;
  /** Leaves a tree may have at most; the file's size follows from it. */
  maxLeaves: number;
  maxDepth: number;
  /** Training weight below which a node is not split. */
  minLeafRows: number;
  /** Features tried at each node; 0 means the square root of all. */
  featuresPerNode: number;
  /** Features of which more never lowers the share of attacks (every class but the first) in the answer. */
  monotone?: ReadonlySet<number>;
  /** Share of the trees that keep them so, 1 unless given; the others may bend as the data do. */
  monotoneShare?: number;
  seed: number;
  onProgress?: (done: number, total: number) => void;
}

export const FOREST_DEFAULTS: ForestOptions = {
  trees: 100,
  maxLeaves: 512,
  maxDepth: 24,
  minLeafRows: 1,
  featuresPerNode: 0,
  seed: 1,
};

/**
 * Random forest (Breiman, 2001): each tree sees a bootstrap sample and tries a random subset of features at each
 * node; splits lower the Gini impurity; leaves hold class shares, and the forest answers with their mean.
 * @param x standardised rows; @param y classes 0..k-1; @param weight row weights.
 */
export function trainForest(
  data: { x: Float32Array; rows: number; columns: number; y: Uint8Array; weight: Float32Array; classes: number },
  options: ForestOptions,
): Ensemble {
  const binned = binTable(data.x, data.rows, data.columns);
  const columnsOf = columnMajor(binned);
  const trees: Tree[] = [];
  for (let t = 0; t < options.trees; t++) {
    const monotone = isMonotone(t, options) ? options.monotone : undefined;
    trees.push(growTree({ ...data, binned, columnsOf }, options, createRandom(options.seed).fork(t), monotone));
    options.onProgress?.(t + 1, options.trees);
  }
  return { trees, base: new Float64Array(data.classes) };
}

/** Spreads the monotone trees evenly over the forest. */
function isMonotone(tree: number, { monotoneShare = 1 }: ForestOptions): boolean {
  return Math.floor((tree + 1) * monotoneShare) > Math.floor(tree * monotoneShare);
}

interface ForestData {
  rows: number;
  y: Uint8Array;
  weight: Float32Array;
  classes: number;
  binned: Binned;
  columnsOf: Uint8Array[];
}

interface OpenNode {
  node: number;
  start: number;
  end: number;
  depth: number;
  counts: Float64Array;
  /** What the node would answer. */
  shares: Float64Array;
  bounds: Bounds;
}

function growTree(
  data: ForestData,
  options: ForestOptions,
  random: Random,
  monotone: ReadonlySet<number> | undefined,
): Tree {
  const { rows: n, y, classes } = data;
  const weight = new Float32Array(n);
  for (let i = 0; i < n; i++) weight[random.below(n)]! += 1;
  const rows = new Int32Array(n);
  let used = 0;
  for (let r = 0; r < n; r++) {
    weight[r]! *= data.weight[r]!;
    if (weight[r]! > 0) rows[used++] = r;
  }
  const builder = new TreeBuilder(classes);
  const scratch = new Int32Array(used);
  const count = (start: number, end: number): Float64Array => {
    const counts = new Float64Array(classes);
    for (let i = start; i < end; i++) counts[y[rows[i]!]!]! += weight[rows[i]!]!;
    return counts;
  };
  const open = (part: Omit<OpenNode, 'node' | 'shares'>, parent?: OpenNode): OpenNode => {
    const shares = boundedShares(part.counts, part.bounds, parent?.shares);
    const total = part.counts.reduce((a, b) => a + b, 0);
    const values = shares.map((share) => share / options.trees);
    return { ...part, shares, node: builder.leaf(values, total) };
  };
  // Breadth first, so that a limit on leaves cuts the deep twigs and not one whole side.
  const queue: OpenNode[] = [open({ start: 0, end: used, depth: 0, counts: count(0, used), bounds: FREE })];
  let leaves = 1;
  for (let at = 0; at < queue.length && leaves < options.maxLeaves; at++) {
    const item = queue[at]!;
    if (item.depth >= options.maxDepth || item.end - item.start < 2 * options.minLeafRows) continue;
    if (item.counts.filter((c) => c > 0).length < 2) continue;
    const best = bestGiniSplit(data, item, rows, weight, { ...options, monotone }, random);
    if (!best) continue;
    const middle = partition(data.columnsOf[best.feature]!, best, rows, scratch, item);
    const threshold = data.binned.edges[best.feature]![best.bin]!;
    builder.split(item.node, best.feature, threshold, best.missingLeft);
    const [below, above] = [count(item.start, middle), count(middle, item.end)];
    const bounds = boundsOfChildren(item.bounds, monotone?.has(best.feature) ? [below, above] : undefined);
    const depth = item.depth + 1;
    const left = open({ start: item.start, end: middle, depth, counts: below, bounds: bounds.left }, item);
    const right = open({ start: middle, end: item.end, depth, counts: above, bounds: bounds.right }, item);
    builder.left[item.node] = left.node;
    builder.right[item.node] = right.node;
    leaves++;
    queue.push(left, right);
  }
  return builder.finish(0);
}

interface GiniSplit {
  feature: number;
  bin: number;
  missingLeft: boolean;
  missingCode: number;
}

function bestGiniSplit(
  data: ForestData,
  item: OpenNode,
  rows: Int32Array,
  weight: Float32Array,
  options: Pick<ForestOptions, 'featuresPerNode'> & { monotone: ReadonlySet<number> | undefined },
  random: Random,
): GiniSplit | undefined {
  const { binned, classes, y } = data;
  const wanted = options.featuresPerNode > 0 ? options.featuresPerNode : Math.ceil(Math.sqrt(binned.columns));
  const order = Array.from({ length: binned.columns }, (_, f) => f);
  const histogram = new Float64Array(256 * classes);
  const leftCounts = new Float64Array(classes);
  let best: GiniSplit | undefined;
  let bestScore = gini(item.counts, undefined) + 1e-9;
  let tried = 0;
  // A feature that is constant here does not count as tried (as scikit-learn does it).
  for (let k = 0; k < order.length && tried < wanted; k++) {
    const j = k + random.below(order.length - k);
    const feature = order[j]!;
    order[j] = order[k]!;
    order[k] = feature;
    const column = data.columnsOf[feature]!;
    const bins = binned.bins[feature]!;
    histogram.fill(0, 0, (bins + 1) * classes);
    let low = 256;
    let high = -1;
    for (let i = item.start; i < item.end; i++) {
      const r = rows[i]!;
      const code = column[r]!;
      histogram[code * classes + y[r]!]! += weight[r]!;
      if (code < low) low = code;
      if (code > high) high = code;
    }
    if (low === high) continue;
    tried++;
    const isMonotone = options.monotone?.has(feature) ?? false;
    const missing = histogram.subarray(bins * classes, (bins + 1) * classes);
    const hasMissing = missing.some((v) => v > 0);
    for (const missingLeft of hasMissing ? [false, true] : [false]) {
      leftCounts.fill(0);
      if (missingLeft) leftCounts.set(missing);
      for (let b = low; b < Math.min(bins - 1, high + 1); b++) {
        for (let c = 0; c < classes; c++) leftCounts[c]! += histogram[b * classes + c]!;
        const score = gini(item.counts, leftCounts);
        if (score > bestScore && (!isMonotone || keepsOrder(item.counts, leftCounts))) {
          bestScore = score;
          best = { feature, bin: b, missingLeft, missingCode: bins };
        }
      }
    }
  }
  return best;
}

/** Sum over both sides of (sum of squared class weights / weight): larger is purer. NaN-free; empty side scores low. */
function gini(total: Float64Array, left: Float64Array | undefined): number {
  let leftWeight = 0;
  let rightWeight = 0;
  let leftSquares = 0;
  let rightSquares = 0;
  for (let c = 0; c < total.length; c++) {
    const l = left ? left[c]! : 0;
    const r = total[c]! - l;
    leftWeight += l;
    rightWeight += r;
    leftSquares += l * l;
    rightSquares += r * r;
  }
  if (left && (leftWeight <= 0 || rightWeight <= 1e-12)) return -1;
  return (leftWeight > 0 ? leftSquares / leftWeight : 0) + (rightWeight > 0 ? rightSquares / rightWeight : 0);
}

function partition(
  column: Uint8Array,
  split: GiniSplit,
  rows: Int32Array,
  scratch: Int32Array,
  item: OpenNode,
): number {
  let left = item.start;
  let right = 0;
  for (let i = item.start; i < item.end; i++) {
    const r = rows[i]!;
    const code = column[r]!;
    const goesLeft = code === split.missingCode ? split.missingLeft : code <= split.bin;
    if (goesLeft) rows[left++] = r;
    else scratch[right++] = r;
  }
  rows.set(scratch.subarray(0, right), left);
  return left;
}

function columnMajor(binned: Binned): Uint8Array[] {
  return Array.from({ length: binned.columns }, (_, f) => {
    const column = new Uint8Array(binned.rows);
    for (let r = 0; r < binned.rows; r++) column[r] = binned.codes[r * binned.columns + f]!;
    return column;
  });
}
