/** One tree of an ensemble as the attribution sees it; nodes are numbered from `first`. */
export interface ShapTree {
  first: number;
  feature: Int32Array;
  left: Int32Array;
  right: Int32Array;
  /** Training weight that reached each node. */
  cover: Float32Array;
  /** Whether the row goes left at an inner node. */
  goesLeft(node: number): boolean;
  /** Output of a leaf. */
  valueOf(node: number): number;
}

/**
 * Exact Shapley values of one tree's output under the path-dependent value function: features outside a coalition are
 * averaged over the training rows that reached each split. Polynomial time: O(leaves * depth^2).
 * Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees", Nature
 * Machine Intelligence 2 (2020), algorithm 2.
 */
export class TreeShap {
  /** Path entries of every depth one after the other: feature, share of zeros and ones that flow through, weight. */
  private feature = new Int32Array(0);
  private zero = new Float64Array(0);
  private one = new Float64Array(0);
  private weight = new Float64Array(0);

  /** Adds the tree's Shapley values to `out`. @returns its expected output. */
  add(tree: ShapTree, depth: number, out: Float64Array): number {
    const entries = ((depth + 2) * (depth + 3)) / 2 + depth + 3;
    if (this.feature.length < entries) {
      this.feature = new Int32Array(entries);
      this.zero = new Float64Array(entries);
      this.one = new Float64Array(entries);
      this.weight = new Float64Array(entries);
    }
    this.walk(tree, out, { node: tree.first, length: 0, parent: 0, zero: 1, one: 1, feature: -1 });
    return expected(tree, tree.first);
  }

  private walk(
    tree: ShapTree,
    out: Float64Array,
    step: { node: number; length: number; parent: number; zero: number; one: number; feature: number },
  ): void {
    const { node, parent } = step;
    let { length } = step;
    const at = parent + length;
    for (let i = 0; i < length; i++) this.copy(parent + i, at + i);
    this.extend(at, length, step.zero, step.one, step.feature);
    const split = tree.feature[node]!;
    if (split < 0) {
      const value = tree.valueOf(node);
      for (let i = 1; i <= length; i++) {
        const share = this.unwoundSum(at, length, i) * (this.one[at + i]! - this.zero[at + i]!);
        out[this.feature[at + i]!]! += share * value;
      }
      return;
    }
    const left = tree.first + tree.left[node]!;
    const right = tree.first + tree.right[node]!;
    const [hot, cold] = tree.goesLeft(node) ? [left, right] : [right, left];
    const total = tree.cover[left]! + tree.cover[right]!;
    const hotShare = total > 0 ? tree.cover[hot]! / total : 0.5;
    let [zero, one] = [1, 1];
    for (let i = 1; i <= length; i++) {
      if (this.feature[at + i] !== split) continue;
      [zero, one] = [this.zero[at + i]!, this.one[at + i]!];
      this.unwind(at, length, i);
      length--;
      break;
    }
    const next = { length: length + 1, parent: at, feature: split };
    this.walk(tree, out, { ...next, node: hot, zero: hotShare * zero, one });
    this.walk(tree, out, { ...next, node: cold, zero: (1 - hotShare) * zero, one: 0 });
  }

  private copy(from: number, to: number): void {
    this.feature[to] = this.feature[from]!;
    this.zero[to] = this.zero[from]!;
    this.one[to] = this.one[from]!;
    this.weight[to] = this.weight[from]!;
  }

  /** Appends a split; `weight[i]` is the share of coalitions of size i. */
  private extend(at: number, length: number, zero: number, one: number, feature: number): void {
    const { weight } = this;
    this.feature[at + length] = feature;
    this.zero[at + length] = zero;
    this.one[at + length] = one;
    weight[at + length] = length === 0 ? 1 : 0;
    for (let i = length - 1; i >= 0; i--) {
      weight[at + i + 1]! += (one * weight[at + i]! * (i + 1)) / (length + 1);
      weight[at + i] = (zero * weight[at + i]! * (length - i)) / (length + 1);
    }
  }

  /** Takes entry `index` out again: a feature that is split on twice counts once. */
  private unwind(at: number, length: number, index: number): void {
    const { weight } = this;
    const [one, zero] = [this.one[at + index]!, this.zero[at + index]!];
    let next = weight[at + length]!;
    for (let i = length - 1; i >= 0; i--) {
      if (one !== 0) {
        const held = weight[at + i]!;
        weight[at + i] = (next * (length + 1)) / ((i + 1) * one);
        next = held - (weight[at + i]! * zero * (length - i)) / (length + 1);
      } else weight[at + i] = zero === 0 ? 0 : (weight[at + i]! * (length + 1)) / (zero * (length - i));
    }
    for (let i = index; i < length; i++) {
      this.feature[at + i] = this.feature[at + i + 1]!;
      this.zero[at + i] = this.zero[at + i + 1]!;
      this.one[at + i] = this.one[at + i + 1]!;
    }
  }

  /** Sum of the weights as they would be without entry `index`. */
  private unwoundSum(at: number, length: number, index: number): number {
    const { weight } = this;
    const [one, zero] = [this.one[at + index]!, this.zero[at + index]!];
    let next = weight[at + length]!;
    let total = 0;
    for (let i = length - 1; i >= 0; i--) {
      if (one !== 0) {
        const part = (next * (length + 1)) / ((i + 1) * one);
        total += part;
        next = weight[at + i]! - (part * zero * (length - i)) / (length + 1);
      } else if (zero !== 0) total += (weight[at + i]! * (length + 1)) / (zero * (length - i));
    }
    return total;
  }
}

function expected(tree: ShapTree, node: number): number {
  if (tree.feature[node]! < 0) return tree.valueOf(node);
  const left = tree.first + tree.left[node]!;
  const right = tree.first + tree.right[node]!;
  const total = tree.cover[left]! + tree.cover[right]!;
  const share = total > 0 ? tree.cover[left]! / total : 0.5;
  return share * expected(tree, left) + (1 - share) * expected(tree, right);
}
