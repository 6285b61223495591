/**
 * One binary tree as columns over its nodes; node 0 is the root. A row goes left when its value is at most the
 * threshold, and where `missingLeft` says when the value is missing.
 */
export interface Tree {
  /** Feature tested, or -1 at a leaf. */
  feature: Int32Array;
  /** Always float32 values that lie between two float32 data values, so every evaluator branches alike. */
  threshold: Float32Array;
  missingLeft: Uint8Array;
  left: Int32Array;
  right: Int32Array;
  /** `width` numbers a node: what the model would answer if it stopped here. Leaves' are float32 values. */
  value: Float64Array;
  width: number;
  /** Training weight that reached the node. */
  cover: Float64Array;
  /** First output the values add to. */
  output: number;
}

/** Output o = base[o] + the sum of the trees' values. */
export interface Ensemble {
  trees: Tree[];
  base: Float64Array;
}

/** Collects nodes while a tree grows. */
export class TreeBuilder {
  readonly feature: number[] = [];
  readonly threshold: number[] = [];
  readonly missingLeft: number[] = [];
  readonly left: number[] = [];
  readonly right: number[] = [];
  readonly value: number[] = [];
  readonly cover: number[] = [];
  private readonly width: number;

  constructor(width: number) {
    this.width = width;
  }

  leaf(values: ArrayLike<number>, cover: number): number {
    this.feature.push(-1);
    this.threshold.push(0);
    this.missingLeft.push(0);
    this.left.push(-1);
    this.right.push(-1);
    for (let i = 0; i < this.width; i++) this.value.push(values[i]!);
    return this.cover.push(cover) - 1;
  }

  split(node: number, feature: number, threshold: number, missingLeft: boolean): void {
    this.feature[node] = feature;
    this.threshold[node] = threshold;
    this.missingLeft[node] = missingLeft ? 1 : 0;
  }

  finish(output: number): Tree {
    return {
      feature: Int32Array.from(this.feature),
      threshold: Float32Array.from(this.threshold),
      missingLeft: Uint8Array.from(this.missingLeft),
      left: Int32Array.from(this.left),
      right: Int32Array.from(this.right),
      value: Float64Array.from(this.value, (v) => Math.fround(v)),
      width: this.width,
      cover: Float64Array.from(this.cover),
      output,
    };
  }
}

/** The leaf a row ends in. `x[at ..]` is the row. */
export function leafOf(tree: Tree, x: Float32Array, at: number): number {
  const { feature, threshold, missingLeft, left, right } = tree;
  let node = 0;
  for (let f = feature[0]!; f >= 0; f = feature[node]!) {
    const v = x[at + f]!;
    const goesLeft = v <= threshold[node]! || (v !== v && missingLeft[node] === 1);
    node = goesLeft ? left[node]! : right[node]!;
  }
  return node;
}

/** Raw outputs of a row, summed in float64: the reference that model.onnx is checked against. */
export function evaluateEnsemble(ensemble: Ensemble, x: Float32Array, at: number, out: Float64Array): void {
  out.set(ensemble.base);
  for (const tree of ensemble.trees) {
    const leaf = leafOf(tree, x, at) * tree.width;
    for (let i = 0; i < tree.width; i++) out[tree.output + i]! += tree.value[leaf + i]!;
  }
}

/** Nodes of all trees. */
export function nodeCount(ensemble: Ensemble): number {
  return ensemble.trees.reduce((n, t) => n + t.feature.length, 0);
}

/** The middle of two float32 values a < b as a float32 t with a <= t < b. */
export function separator(a: number, b: number): number {
  const middle = Math.fround(a + (b - a) / 2);
  return middle >= a && middle < b ? middle : a;
}
