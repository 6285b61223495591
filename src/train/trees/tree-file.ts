import type { Ensemble } from './ensemble.js';
import type { CodeOrder } from './target-encoding.js';

/** What the explanation needs beside the trees: how rows are prepared and which way the outputs count. */
export interface TreeFileOptions {
  features: number;
  /** Rows are standardised by (x - mean) / scale in float32 before the trees see them. */
  mean?: Float32Array;
  scale?: Float32Array;
  /** Category codes that the trees see as places in an order. */
  orders?: readonly CodeOrder[];
  /** `sum`: all outputs raise the score; `class`: output of the reported class less that of class 0; `negative`: it lowers it. */
  reading: 'sum' | 'class' | 'negative';
}

const MAGIC = 'PCTREES2';

/**
 * `trees.bin`: what model.onnx cannot carry, namely value and training weight of every inner node, for explanations.
 * Layout: 8 bytes magic, uint32 header length, JSON header, zero padding to 4; then, over the nodes of all trees in
 * order and little-endian: feature int32, threshold float32, left int32, right int32, cover float32, value float32
 * (width a node), missingLeft uint8. Children are numbered within their tree.
 */
export function formatTreeFile(ensemble: Ensemble, outputs: readonly number[], options: TreeFileOptions): Uint8Array {
  const { trees } = ensemble;
  const width = trees[0]?.width === 1 ? 1 : outputs.length;
  const nodes = trees.reduce((n, t) => n + t.feature.length, 0);
  const header = Buffer.from(
    JSON.stringify({
      features: options.features,
      reading: options.reading,
      width,
      outputs: outputs.length,
      base: outputs.map((o) => ensemble.base[o]!),
      nodes: trees.map((t) => t.feature.length),
      output: trees.map((t) => (width === 1 ? Math.max(0, outputs.indexOf(t.output)) : 0)),
      ...(options.mean && options.scale ? { mean: [...options.mean], scale: [...options.scale] } : {}),
      ...(options.orders && options.orders.length > 0 ? { orders: options.orders } : {}),
    }),
  );
  const start = Math.ceil((12 + header.length) / 4) * 4;
  const out = new Uint8Array(start + nodes * (21 + 4 * width));
  out.set(Buffer.from(MAGIC));
  const view = new DataView(out.buffer);
  view.setUint32(8, header.length, true);
  out.set(header, 12);
  let n = 0;
  for (const tree of trees) {
    for (let i = 0; i < tree.feature.length; i++, n++) {
      view.setInt32(start + 4 * n, tree.feature[i]!, true);
      view.setFloat32(start + 4 * (nodes + n), tree.threshold[i]!, true);
      view.setInt32(start + 4 * (2 * nodes + n), tree.left[i]!, true);
      view.setInt32(start + 4 * (3 * nodes + n), tree.right[i]!, true);
      view.setFloat32(start + 4 * (4 * nodes + n), tree.cover[i]!, true);
      for (let w = 0; w < width; w++) {
        const from = width === 1 && tree.width === 1 ? i : i * tree.width + outputs[w]!;
        view.setFloat32(start + 4 * (5 * nodes + n * width + w), tree.value[from]!, true);
      }
      out[start + 4 * nodes * (5 + width) + n] = tree.missingLeft[i]!;
    }
  }
  return out;
}
