/** Instructions of WebAssembly as bytes, operands first: `add(get(0), i32(1))`. Only what the scanner needs. */
export type Code = readonly number[];

/** Unsigned LEB128. */
export function uleb(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    out.push(rest === 0 ? low : low | 0x80);
  } while (rest !== 0);
  return out;
}

/** Signed LEB128. */
function sleb(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    out.push(isLast ? low : low | 0x80);
    if (isLast) return out;
  }
}

/** Signed LEB128 of 64 bits. */
function sleb64(value: bigint): number[] {
  const out: number[] = [];
  let rest = BigInt.asIntN(64, value);
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    const isLast = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
    out.push(isLast ? low : low | 0x80);
    if (isLast) return out;
  }
}

const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, opcode];

export const i32 = (value: number): Code => [0x41, ...sleb(value)];
export const add = binary(0x6a);
export const sub = binary(0x6b);
export const mul = binary(0x6c);
export const and = binary(0x71);
export const or = binary(0x72);
export const shl = binary(0x74);
/** Logical shift; the count counts modulo 32. */
export const shr = binary(0x76);
export const equal = binary(0x46);
export const differs = binary(0x47);
export const below = binary(0x49);
export const above = binary(0x4b);
export const atMost = binary(0x4d);
export const atLeast = binary(0x4f);
export const isZero = (a: Code): Code => [...a, 0x45];
export const trailingZeros = (a: Code): Code => [...a, 0x68];

export const get = (local: number): Code => [0x20, ...uleb(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...uleb(local)];
export const getGlobal = (index: number): Code => [0x23, ...uleb(index)];
export const setGlobal = (index: number, value: Code): Code => [...value, 0x24, ...uleb(index)];

export const i64 = (value: bigint): Code => [0x42, ...sleb64(value)];
export const mul64 = binary(0x7e);
export const or64 = binary(0x84);
export const shr64 = binary(0x88);
/** The lower 32 of 64 bits. */
export const lower = (a: Code): Code => [...a, 0xa7];

/** Unaligned little-endian loads. */
export const load64 = (address: Code, offset = 0): Code => [...address, 0x29, 0, ...uleb(offset)];
export const load32 = (address: Code, offset = 0): Code => [...address, 0x28, 0, ...uleb(offset)];
export const load8 = (address: Code, offset = 0): Code => [...address, 0x2d, 0, ...uleb(offset)];
export const store32 = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  0x36,
  0,
  ...uleb(offset),
];

const NO_RESULT = 0x40;
const END = 0x0b;
export const block = (...body: Code[]): Code => [0x02, NO_RESULT, ...body.flat(), END];
export const loop = (...body: Code[]): Code => [0x03, NO_RESULT, ...body.flat(), END];
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, NO_RESULT, ...body.flat(), END];
/** Leaves `depth` blocks, or begins the loop at that depth again. */
export const branch = (depth: number): Code => [0x0c, ...uleb(depth)];
export const branchIf = (condition: Code, depth: number): Code => [...condition, 0x0d, ...uleb(depth)];
export const leave: Code = [0x0f];
export const leaveIf = (condition: Code): Code => when(condition, leave);
export const call = (index: number, ...values: Code[]): Code => [...values.flat(), 0x10, ...uleb(index)];
/** Leaves the former size, or -1 when there is no more memory. */
export const growMemory = (pages: Code): Code => [...pages, 0x40, 0];

const simd = (opcode: number): number[] => [0xfd, ...uleb(opcode)];
const simdBinary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];
export const loadVector = (address: Code, offset = 0): Code => [...address, ...simd(0x00), 0, ...uleb(offset)];
export const storeVector = (address: Code, value: Code): Code => [...address, ...value, ...simd(0x0b), 0, 0];
export const splat8 = (a: Code): Code => [...a, ...simd(0x0f)];
/** Bytes of the first at the positions that the second names. */
export const swizzle = simdBinary(0x0e);
export const andVector = simdBinary(0x4e);
/** 1 in each byte that is not equal. */
export const differs8 = simdBinary(0x24);
/** Shifts 16-bit lanes to the right. */
export const shr16 = (a: Code, count: Code): Code => [...a, ...count, ...simd(0x8d)];
export const anyTrue = (a: Code): Code => [...a, ...simd(0x53)];
/** The top bit of each byte. */
export const bitmask8 = (a: Code): Code => [...a, ...simd(0x64)];
