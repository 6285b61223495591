import type { Table } from './table.js';

/** Mean and standard deviation (1 where constant) of each column over present values, as float32. */
export function standardise(table: Table): { mean: Float32Array; scale: Float32Array } {
  const { columns, rows, x } = table;
  const mean = new Float64Array(columns);
  const m2 = new Float64Array(columns);
  const n = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let f = 0; f < columns; f++) {
      const v = x[r * columns + f]!;
      if (Number.isNaN(v)) continue;
      const d = v - mean[f]!;
      mean[f]! += d / ++n[f]!;
      m2[f]! += d * (v - mean[f]!);
    }
  }
  return {
    mean: Float32Array.from(mean),
    scale: Float32Array.from(m2, (s, f) => Math.fround(Math.sqrt(s / Math.max(1, n[f]!))) || 1),
  };
}

/** (x - mean) / scale with float32 rounding after each step, exactly as ONNX `Sub` and `Div` do. */
export function standardiseRow(
  x: Float32Array,
  at: number,
  mean: Float32Array,
  scale: Float32Array,
  out: Float32Array,
  outAt: number,
): void {
  for (let f = 0; f < mean.length; f++) out[outAt + f] = Math.fround(x[at + f]! - mean[f]!) / scale[f]!;
}
