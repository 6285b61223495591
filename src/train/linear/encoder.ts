import type { OnnxGraph } from '../onnx/graph.js';
import type { Table } from '../table/table.js';

/** Standard deviations beyond which a value says no more. */
const CLIP = 10;

/**
 * Rows as dense numbers for linear models and networks: amounts as signed log(1 + |x|), then standardised; flags and
 * shares standardised; categories one column a code seen in training. Missing values become the mean.
 */
export interface Encoder {
  width: number;
  /** The feature that each encoded column comes from. */
  sources: readonly number[];
  /** Encodes one row in float32 steps, as the ONNX nodes do. */
  encode(x: Float32Array, at: number, out: Float32Array, outAt: number): void;
  /** Adds the same steps to a graph; returns the encoded [N, width]. */
  addTo(graph: OnnxGraph, x: string): string;
}

/** @param ignored columns left out. */
export function fitEncoder(table: Table, ignored: ReadonlySet<number> = new Set()): Encoder {
  const { features } = table.schema;
  const indexOf = (test: (f: (typeof features)[number]) => boolean): number[] =>
    features.flatMap((f, i) => (test(f) && !ignored.has(i) ? [i] : []));
  const logs = indexOf((f) => f.kind === 'numeric');
  const plain = indexOf((f) => f.kind !== 'numeric' && !f.vocabulary);
  const categories = indexOf((f) => f.kind !== 'numeric' && f.vocabulary !== undefined);
  const numeric = [...logs, ...plain];
  const { mean, scale } = momentsOf(table, numeric, logs.length);
  const codes = categories.flatMap((f) => codesOf(table, f).map((code) => ({ f, code })));

  return {
    width: numeric.length + codes.length,
    sources: [...numeric, ...codes.map((c) => c.f)],
    encode(x, at, out, outAt) {
      for (let i = 0; i < numeric.length; i++) {
        const v = x[at + numeric[i]!]!;
        const u = i < logs.length ? signedLog(v) : v;
        const z = Number.isNaN(u) ? 0 : Math.fround(Math.fround(u - mean[i]!) / scale[i]!);
        out[outAt + i] = Math.min(CLIP, Math.max(-CLIP, z));
      }
      for (let i = 0; i < codes.length; i++) {
        out[outAt + numeric.length + i] = x[at + codes[i]!.f] === codes[i]!.code ? 1 : 0;
      }
    },
    addTo(graph, x) {
      const parts: string[] = [];
      if (logs.length > 0) {
        const v = graph.node('Gather', [x, graph.int64s(logs)], { axis: 1 });
        const grown = graph.node('Log', [graph.node('Add', [graph.node('Abs', [v]), graph.scalar(1)])]);
        parts.push(graph.node('Mul', [graph.node('Sign', [v]), grown]));
      }
      if (plain.length > 0) parts.push(graph.node('Gather', [x, graph.int64s(plain)], { axis: 1 }));
      const joined = parts.length === 1 ? parts[0]! : graph.node('Concat', parts, { axis: 1 });
      const filled = graph.node('Where', [graph.node('IsNaN', [joined]), graph.floats(mean, [1, mean.length]), joined]);
      const centred = graph.node('Sub', [filled, graph.floats(mean)]);
      const scaled = graph.node('Div', [centred, graph.floats(scale)]);
      const clipped = graph.node('Clip', [scaled, graph.scalar(-CLIP), graph.scalar(CLIP)]);
      if (codes.length === 0) return clipped;
      const chosen = graph.node('Gather', [x, graph.int64s(codes.map((c) => c.f))], { axis: 1 });
      const equal = graph.node('Equal', [chosen, graph.floats(codes.map((c) => c.code))]);
      return graph.node('Concat', [clipped, graph.node('Cast', [equal], { to: 1 })], { axis: 1 });
    },
  };
}

/** All rows encoded, row-major. */
export function encodeTable(table: Table, encoder: Encoder): Float32Array {
  const out = new Float32Array(table.rows * encoder.width);
  for (let r = 0; r < table.rows; r++) encoder.encode(table.x, r * table.columns, out, r * encoder.width);
  return out;
}

function signedLog(v: number): number {
  return Math.fround(Math.sign(v) * Math.fround(Math.log(Math.fround(Math.abs(v) + 1))));
}

function momentsOf(
  table: Table,
  columns: readonly number[],
  logs: number,
): { mean: Float32Array; scale: Float32Array } {
  const mean = new Float32Array(columns.length);
  const scale = new Float32Array(columns.length).fill(1);
  for (const [i, f] of columns.entries()) {
    let [n, m, m2] = [0, 0, 0];
    for (let r = 0; r < table.rows; r++) {
      const v = table.x[r * table.columns + f]!;
      const u = i < logs ? signedLog(v) : v;
      if (Number.isNaN(u)) continue;
      const d = u - m;
      m += d / ++n;
      m2 += d * (u - m);
    }
    mean[i] = m;
    // A column that hardly moves would turn rounding into signal.
    const deviation = Math.sqrt(m2 / Math.max(1, n));
    if (deviation > 1e-6) scale[i] = deviation;
  }
  return { mean, scale };
}

function codesOf(table: Table, feature: number): number[] {
  const seen = new Set<number>();
  for (let r = 0; r < table.rows; r++) {
    const v = table.x[r * table.columns + feature]!;
    if (!Number.isNaN(v)) seen.add(v);
  }
  return [...seen].sort((a, b) => a - b);
}
