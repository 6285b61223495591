import type { Binned } from './bins.js';
import { TreeBuilder, type Tree } from './ensemble.js';
import { CELL_BYTES, CELLS, createWasmKernel, type TreeKernel } from './kernel.js';

export interface GrowOptions {
  maxLeaves: number;
  /** Shrinks each tree's answer. */
  learningRate: number;
  /** L2 penalty on leaf values. */
  lambda: number;
  /** Sum of hessians a leaf must have. */
  minHessian: number;
  /** Gain below which a node is not split. */
  minGain: number;
}

interface Split {
  gain: number;
  feature: number;
  bin: number;
  missingLeft: boolean;
}

interface Leaf {
  node: number;
  start: number;
  n: number;
  slot: number;
  gradient: number;
  hessian: number;
  split: Split | undefined;
}

const FEATURE_BYTES = CELLS * CELL_BYTES;
/** A code that no row has. */
const NO_CODE = 256;

/** Grows one regression tree after another on the gradients that its owner writes: leaf-wise, by histograms. */
export class TreeGrower {
  /** Gradient and hessian of each row, interleaved; written by the owner before `grow`. */
  readonly pairs: Float64Array;
  /** One running score a row and output, added to by `grow`. */
  readonly scores: Float64Array[];
  private readonly binned: Binned;
  private readonly options: GrowOptions;
  private readonly kernel: TreeKernel;
  private readonly memory: WebAssembly.Memory;
  private readonly stride: number;
  private readonly at: {
    codes: number;
    columns: number;
    pairs: number;
    rows: number;
    scratch: number;
    scores: number;
    hist: number;
  };

  constructor(
    binned: Binned,
    outputs: number,
    options: GrowOptions,
    makeKernel: (memory: WebAssembly.Memory) => TreeKernel = createWasmKernel,
  ) {
    this.binned = binned;
    this.options = options;
    const { rows: n, columns } = binned;
    this.stride = Math.ceil(columns / 4) * 4;
    let top = 0;
    const take = (bytes: number): number => {
      const start = top;
      top = Math.ceil((top + bytes) / 16) * 16;
      return start;
    };
    this.at = {
      codes: take(n * this.stride),
      columns: take(n * columns),
      pairs: take(n * CELL_BYTES),
      rows: take(n * 4),
      scratch: take(n * 4 + 4),
      scores: take(n * outputs * 8),
      hist: take((options.maxLeaves + 1) * this.stride * FEATURE_BYTES),
    };
    this.memory = new WebAssembly.Memory({ initial: Math.ceil(top / 65536) + 1 });
    this.kernel = makeKernel(this.memory);
    this.pairs = new Float64Array(this.memory.buffer, this.at.pairs, 2 * n);
    this.scores = Array.from(
      { length: outputs },
      (_, o) => new Float64Array(this.memory.buffer, this.at.scores + o * n * 8, n),
    );
    this.fillCodes();
  }

  private fillCodes(): void {
    const { rows: n, columns, codes } = this.binned;
    const bytes = new Uint8Array(this.memory.buffer);
    for (let r = 0; r < n; r++) {
      for (let f = 0; f < columns; f++) {
        const code = codes[r * columns + f]!;
        bytes[this.at.codes + r * this.stride + f] = code;
        bytes[this.at.columns + f * n + r] = code;
      }
    }
  }

  /** One tree for the current gradients; adds its answers to the output's scores. */
  grow(output: number): Tree {
    const { binned, options, kernel } = this;
    const n = binned.rows;
    const builder = new TreeBuilder(1);
    const rows = new Int32Array(this.memory.buffer, this.at.rows, n);
    for (let r = 0; r < n; r++) rows[r] = r;
    let [g, h] = [0, 0];
    for (let r = 0; r < n; r++) {
      g += this.pairs[2 * r]!;
      h += this.pairs[2 * r + 1]!;
    }
    const root = this.leaf(builder, 0, n, 0, g, h);
    this.buildHistogram(root);
    root.split = this.bestSplit(root);
    const leaves = [root];
    while (leaves.length < options.maxLeaves) {
      let best: Leaf | undefined;
      for (const leaf of leaves) if (leaf.split && leaf.split.gain > (best?.split?.gain ?? 0)) best = leaf;
      if (!best?.split) break;
      leaves.push(this.splitLeaf(builder, best, best.split, leaves.length));
    }
    for (const leaf of leaves) {
      kernel.addToRows(
        this.at.rows + 4 * leaf.start,
        leaf.n,
        this.scores[output]!.byteOffset,
        Math.fround(builder.value[leaf.node]!),
      );
    }
    return builder.finish(output);
  }

  private leaf(builder: TreeBuilder, start: number, n: number, slot: number, gradient: number, hessian: number): Leaf {
    const value = (-gradient / (hessian + this.options.lambda)) * this.options.learningRate;
    return { node: builder.leaf([value], hessian), start, n, slot, gradient, hessian, split: undefined };
  }

  /** Divides a leaf; it becomes the left child and the right one is returned. */
  private splitLeaf(builder: TreeBuilder, leaf: Leaf, split: Split, freeSlot: number): Leaf {
    const { binned, kernel } = this;
    const { feature, bin, missingLeft } = split;
    const column = this.at.columns + feature * binned.rows;
    const leftCode = missingLeft ? binned.bins[feature]! : NO_CODE;
    const leftN = kernel.partition(this.at.rows + 4 * leaf.start, leaf.n, column, bin, leftCode, this.at.scratch);
    const sums = this.leftSums(leaf, split);
    builder.split(leaf.node, feature, binned.edges[feature]![bin]!, missingLeft);
    const left = this.leaf(builder, leaf.start, leftN, leaf.slot, sums.g, sums.h);
    const right = this.leaf(
      builder,
      leaf.start + leftN,
      leaf.n - leftN,
      freeSlot,
      leaf.gradient - sums.g,
      leaf.hessian - sums.h,
    );
    builder.left[leaf.node] = left.node;
    builder.right[leaf.node] = right.node;
    // The smaller child is counted, the larger is the parent less it, in the parent's place.
    const [small, large] = leftN <= leaf.n - leftN ? [left, right] : [right, left];
    [small.slot, large.slot] = [freeSlot, leaf.slot];
    this.buildHistogram(small);
    kernel.subtract(this.slotAt(large.slot), this.slotAt(small.slot), this.stride * FEATURE_BYTES);
    left.split = this.bestSplit(left);
    right.split = this.bestSplit(right);
    Object.assign(leaf, left);
    return right;
  }

  private slotAt(slot: number): number {
    return this.at.hist + slot * this.stride * FEATURE_BYTES;
  }

  private buildHistogram(leaf: Leaf): void {
    const hist = this.slotAt(leaf.slot);
    new Uint8Array(this.memory.buffer, hist, this.stride * FEATURE_BYTES).fill(0);
    this.kernel.histogram(this.at.codes, this.stride, this.at.rows + 4 * leaf.start, leaf.n, this.at.pairs, hist);
  }

  private leftSums(leaf: Leaf, { feature, bin, missingLeft }: Split): { g: number; h: number } {
    const hist = new Float64Array(this.memory.buffer, this.slotAt(leaf.slot) + feature * FEATURE_BYTES, 2 * CELLS);
    const missing = 2 * this.binned.bins[feature]!;
    let g = missingLeft ? hist[missing]! : 0;
    let h = missingLeft ? hist[missing + 1]! : 0;
    for (let b = 0; b <= bin; b++) {
      g += hist[2 * b]!;
      h += hist[2 * b + 1]!;
    }
    return { g, h };
  }

  /** The cut with the largest gain (Chen and Guestrin, 2016, eq. 7); missing values try both sides. */
  private bestSplit(leaf: Leaf): Split | undefined {
    const { lambda, minHessian, minGain } = this.options;
    const { bins, hasMissing, columns } = this.binned;
    if (leaf.hessian < 2 * minHessian) return undefined;
    const all = new Float64Array(this.memory.buffer, this.slotAt(leaf.slot), columns * 2 * CELLS);
    const whole = (leaf.gradient * leaf.gradient) / (leaf.hessian + lambda);
    let best = whole + 2 * minGain;
    let [feature, cut, side] = [-1, 0, false];
    for (let f = 0; f < columns; f++) {
      const base = f * 2 * CELLS;
      const n = bins[f]!;
      for (let way = 0; way <= (hasMissing[f] ? 1 : 0); way++) {
        let g = way === 1 ? all[base + 2 * n]! : 0;
        let h = way === 1 ? all[base + 2 * n + 1]! : 0;
        for (let b = 0; b < n - 1; b++) {
          const cell = base + 2 * b;
          const dh = all[cell + 1]!;
          if (dh === 0) continue;
          g += all[cell]!;
          h += dh;
          if (h < minHessian) continue;
          const rightH = leaf.hessian - h;
          if (rightH < minHessian) break;
          const rightG = leaf.gradient - g;
          const gain = (g * g) / (h + lambda) + (rightG * rightG) / (rightH + lambda);
          if (gain > best) {
            best = gain;
            feature = f;
            cut = b;
            side = way === 1;
          }
        }
      }
    }
    return feature < 0 ? undefined : { gain: best - whole, feature, bin: cut, missingLeft: side };
  }
}
