import { KERNEL_WASM_BASE64 } from './kernel-bytes.js';

/** Histogram cells a feature has room for: 256 codes and one cache line, so that features do not collide in the cache. */
export const CELLS = 260;
/** Gradient and hessian as float64. */
export const CELL_BYTES = 16;

/** Inner loops over byte offsets into one memory; see kernel.wat for each. */
export interface TreeKernel {
  histogram(codes: number, stride: number, rows: number, n: number, pairs: number, hist: number): void;
  partition(rows: number, n: number, column: number, bin: number, leftCode: number, scratch: number): number;
  subtract(hist: number, other: number, bytes: number): void;
  addToRows(rows: number, n: number, scores: number, value: number): void;
}

/** The SIMD version: about three times as fast as the plain one. */
export function createWasmKernel(memory: WebAssembly.Memory): TreeKernel {
  const module = new WebAssembly.Module(Buffer.from(KERNEL_WASM_BASE64, 'base64'));
  return new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as TreeKernel;
}

/** The same in plain code, bit for bit: what the SIMD version is tested against. */
export function createPlainKernel(memory: WebAssembly.Memory): TreeKernel {
  const u8 = new Uint8Array(memory.buffer);
  const i32 = new Int32Array(memory.buffer);
  const f64 = new Float64Array(memory.buffer);
  return {
    histogram(codes, stride, rows, n, pairs, hist) {
      for (let i = 0; i < n; i++) {
        const row = i32[(rows >> 2) + i]!;
        const g = f64[(pairs >> 3) + 2 * row]!;
        const h = f64[(pairs >> 3) + 2 * row + 1]!;
        for (let f = 0; f < stride; f++) {
          const at = (hist >> 3) + CELLS * 2 * f + 2 * u8[codes + row * stride + f]!;
          f64[at]! += g;
          f64[at + 1]! += h;
        }
      }
    },
    partition(rows, n, column, bin, leftCode, scratch) {
      let left = rows >> 2;
      let right = scratch >> 2;
      for (let i = rows >> 2; i < (rows >> 2) + n; i++) {
        const row = i32[i]!;
        const code = u8[column + row]!;
        if (code <= bin || code === leftCode) i32[left++] = row;
        else i32[right++] = row;
      }
      i32.copyWithin(left, scratch >> 2, right);
      return left - (rows >> 2);
    },
    subtract(hist, other, bytes) {
      for (let i = 0; i < bytes >> 3; i++) f64[(hist >> 3) + i]! -= f64[(other >> 3) + i]!;
    },
    addToRows(rows, n, scores, value) {
      for (let i = rows >> 2; i < (rows >> 2) + n; i++) f64[(scores >> 3) + i32[i]!]! += value;
    },
  };
}
