import { z } from 'zod';
import { TreeShap } from './tree-shap.js';

const headerSchema = z.object({
  features: z.number().int().min(1),
  reading: z.enum(['sum', 'class', 'negative']),
  width: z.number().int().min(1),
  outputs: z.number().int().min(1),
  base: z.array(z.number()),
  nodes: z.array(z.number().int().min(1)),
  output: z.array(z.number().int().min(0)),
  mean: z.array(z.number()).optional(),
  scale: z.array(z.number()).optional(),
  orders: z.array(z.object({ feature: z.number().int().min(0), places: z.array(z.number()).min(1) })).default([]),
});

/** Path contributions of a tree model: how far each feature moved the score of one row. */
export interface TreeExplainer {
  features: number;
  /**
   * Saabas contributions (Saabas, 2014): the change of the expected output at each split on the row's path, given to
   * the split's feature. With `bias` they add up to the model's raw output for that reading.
   * @param out one number a feature; overwritten.
   * @param output class index less one for models that tell classes apart, ignored else.
   */
  contributions(row: ArrayLike<number>, output: number, out: Float64Array): { bias: number };
  /** Exact Shapley values (path-dependent TreeSHAP) of the same output; milliseconds where the path takes microseconds. */
  shapley(row: ArrayLike<number>, output: number, out: Float64Array): { bias: number };
}

/** Reads `trees.bin` (layout in the trainer that writes it). @throws Error when it is damaged. */
export function parseTreeFile(data: Uint8Array): TreeExplainer {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  if (data.length < 16 || new TextDecoder().decode(data.subarray(0, 8)) !== 'PCTREES2')
    throw new Error('trees.bin is damaged');
  const headerLen = view.getUint32(8, true);
  if (12 + headerLen > data.length) throw new Error('trees.bin is damaged');
  const header = headerSchema.parse(JSON.parse(new TextDecoder().decode(data.subarray(12, 12 + headerLen))));
  const { width } = header;
  const total = header.nodes.reduce((a, b) => a + b, 0);
  const start = Math.ceil((12 + headerLen) / 4) * 4;
  if (data.length !== start + total * (21 + 4 * width)) throw new Error('trees.bin is cut short');
  const ints = (block: number): Int32Array =>
    Int32Array.from({ length: total }, (_, i) => view.getInt32(start + 4 * (block * total + i), true));
  const floats = (block: number, n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => view.getFloat32(start + 4 * (block * total + i), true));
  const feature = ints(0);
  const threshold = floats(1, total);
  const left = ints(2);
  const right = ints(3);
  const cover = floats(4, total);
  const value = floats(5, total * width);
  const missingLeft = data.slice(start + 4 * total * (5 + width));
  checkChildren(header.nodes, feature, left, right, header.features);
  const mean = Float32Array.from(header.mean ?? new Array<number>(header.features).fill(0));
  const scale = Float32Array.from(header.scale ?? new Array<number>(header.features).fill(1));
  const prepared = new Float32Array(header.features);
  const sign = header.reading === 'negative' ? -1 : 1;

  /** What a node's values mean for the reading: the sum of all, or the class's own less class 0's. */
  const read = (node: number, tree: number, output: number): number => {
    if (width > 1) {
      let sum = 0;
      for (let w = 0; w < width; w++) sum += value[node * width + w]!;
      return sum;
    }
    if (header.reading !== 'class' || header.outputs === 1) return sign * value[node]!;
    const of = header.output[tree]!;
    return of === output + 1 ? value[node]! : of === 0 ? -value[node]! : 0;
  };

  function prepare(row: ArrayLike<number>): void {
    for (let f = 0; f < header.features; f++) prepared[f] = Math.fround(row[f]! - mean[f]!) / scale[f]!;
    for (const { feature, places } of header.orders) {
      const code = row[feature]!;
      if (!Number.isNaN(code)) prepared[feature] = places[Math.min(places.length - 1, Math.max(0, Math.trunc(code)))]!;
    }
  }

  const baseOf = (output: number): number =>
    header.reading === 'class' && header.outputs > 1
      ? (header.base[output + 1] ?? 0) - (header.base[0] ?? 0)
      : sign * header.base.reduce((a, b) => a + b, 0);

  const goesLeft = (node: number): boolean => {
    const v = prepared[feature[node]!]!;
    return v <= threshold[node]! || (Number.isNaN(v) && missingLeft[node] === 1);
  };
  const shap = new TreeShap();
  const depths = new Map<number, number>();

  return {
    features: header.features,
    shapley(row, output, out) {
      out.fill(0);
      prepare(row);
      let bias = baseOf(output);
      let first = 0;
      for (let t = 0; t < header.nodes.length; t++) {
        let depth = depths.get(t);
        if (depth === undefined) depths.set(t, (depth = depthOf(first, feature, left, right)));
        const valueOf = (node: number): number => read(node, t, output);
        bias += shap.add({ first, feature, left, right, cover, goesLeft, valueOf }, depth, out);
        first += header.nodes[t]!;
      }
      return { bias };
    },
    contributions(row, output, out) {
      out.fill(0);
      prepare(row);
      let bias = baseOf(output);
      let first = 0;
      for (let t = 0; t < header.nodes.length; t++) {
        let node = first;
        let before = read(node, t, output);
        bias += before;
        for (let f = feature[node]!; f >= 0; f = feature[node]!) {
          node = first + (goesLeft(node) ? left[node]! : right[node]!);
          const after = read(node, t, output);
          out[f]! += after - before;
          before = after;
        }
        first += header.nodes[t]!;
      }
      return { bias };
    },
  };
}

/** Splits on the longest path of the tree whose root is `first`. */
function depthOf(first: number, feature: Int32Array, left: Int32Array, right: Int32Array): number {
  const below = (node: number): number =>
    feature[node]! < 0 ? 0 : 1 + Math.max(below(first + left[node]!), below(first + right[node]!));
  return below(first);
}

/** Every path must end: children lie behind their parent and within their tree. */
function checkChildren(
  nodes: readonly number[],
  feature: Int32Array,
  left: Int32Array,
  right: Int32Array,
  features: number,
): void {
  let first = 0;
  for (const n of nodes) {
    for (let i = 0; i < n; i++) {
      const at = first + i;
      if (feature[at]! < 0) continue;
      const bad = (child: number): boolean => child <= i || child >= n;
      if (feature[at]! >= features || bad(left[at]!) || bad(right[at]!)) throw new Error('trees.bin has a broken tree');
    }
    first += n;
  }
}
