import type { Comparison, NumberRead, Operand } from '../rule.js';

/** Variables of one rule while it is evaluated. */
export type Values = Float64Array;

export function operand(o: Operand, values: Values): number {
  return o.variable < 0 ? o.value : values[o.variable]!;
}

export interface ReadResult {
  value: number;
  /** Position behind what was read. */
  end: number;
}

const result: ReadResult = { value: 0, end: 0 };

/**
 * Reads a number at its offset from `cursor` (relative) or from the beginning; undefined beyond the buffer's end or when
 * text holds no number. The result is overwritten by the next call.
 */
export function readNumber(read: NumberRead, data: Uint8Array, cursor: number, values: Values): ReadResult | undefined {
  const start = operand(read.offset, values) + (read.relative ? cursor : 0);
  const count = operand(read.bytes, values);
  if (start < 0 || start > data.length) return undefined;
  if (read.text) return readText(read, data, start, count);
  if (start + count > data.length || count > 8) return undefined;
  let value = 0;
  for (let i = 0; i < count; i++) value = value * 256 + data[read.little ? start + count - 1 - i : start + i]!;
  result.value = value;
  result.end = start + count;
  return masked(read);
}

function readText(read: NumberRead, data: Uint8Array, start: number, count: number): ReadResult | undefined {
  const text = Buffer.from(data.buffer, data.byteOffset + start, Math.min(count || 23, data.length - start)).toString(
    'latin1',
  );
  const m =
    read.base === 16
      ? /^\s*[-+]?(?:0x)?[0-9a-f]+/i.exec(text)
      : read.base === 8
        ? /^\s*[-+]?[0-7]+/.exec(text)
        : /^\s*[-+]?\d+/.exec(text);
  if (!m) return undefined;
  const digits = m[0].trim();
  const negative = digits.startsWith('-');
  const value = parseInt(digits.replace(/^[-+]/, ''), read.base === 0 ? 10 : read.base);
  result.value = negative ? -value : value;
  result.end = start + m[0].length;
  return masked(read);
}

function masked(read: NumberRead): ReadResult {
  result.value = maskBits(result.value, read.bitmask);
  return result;
}

/** The bits of a mask, the lowest of which becomes bit 0; without a mask the value itself. */
export function maskBits(value: number, bitmask: number | undefined): number {
  if (bitmask === undefined) return value;
  const shift = bitmask === 0 ? 0 : 31 - Math.clz32(bitmask & -bitmask);
  return ((value & bitmask) >>> 0) >>> shift;
}

export function compare(operator: Comparison, a: number, b: number): boolean {
  switch (operator) {
    case '=':
      return a === b;
    case '!=':
      return a !== b;
    case '<':
      return a < b;
    case '>':
      return a > b;
    case '<=':
      return a <= b;
    case '>=':
      return a >= b;
    case '&':
      return (BigInt(Math.trunc(a)) & BigInt(Math.trunc(b))) !== 0n;
    case '^':
      return (BigInt(Math.trunc(a)) ^ BigInt(Math.trunc(b))) !== 0n;
  }
}

export function compute(operator: '+' | '-' | '*' | '/' | '<<' | '>>', a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      // Of 64 bits without a sign.
      return a < b ? a - b + 2 ** 64 : a - b;
    case '*':
      return Number.isFinite(a * b) ? a * b : undefined;
    case '/':
      return b === 0 ? undefined : Math.trunc(a / b);
    case '<<':
      return isShift(b) ? Number((BigInt(Math.trunc(a)) << BigInt(b)) & 0xffffffffffffffffn) : 0;
    case '>>':
      return isShift(b) ? Number(BigInt(Math.trunc(a)) >> BigInt(b)) : 0;
  }
}

/** Beyond, nothing is left of 64 bits; a number of millions of digits would be made on the way. */
const isShift = (bits: number): boolean => bits >= 0 && bits < 64;
