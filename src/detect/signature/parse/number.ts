import type { NumberRange } from '../rule.js';

/** A whole number, decimal or `0x...`. */
export function parseNumber(text: string, from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER): number {
  const t = text.trim();
  if (!/^[-+]?(\d+|0x[0-9a-fA-F]+)$/.test(t)) throw new Error(`"${t}" is not a number`);
  const n = t.startsWith('-') ? -Number(t.slice(1)) : Number(t.replace(/^\+/, ''));
  if (n < from || n > to) throw new Error(`${t} is not between ${from} and ${to}`);
  return n;
}

const UNITS: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const MAX_MASK = 0xffffffff;

/** A whole number of bytes: Suricata 8 takes `kb`, `mib` and the like behind it, and all of them are powers of 1024. */
function parseSize(text: string, max: number): number {
  const m = /^(\d+)([kmg])i?b$/i.exec(text);
  if (!m) return parseNumber(text, 0, max);
  return parseNumber(String(Number(m[1]) * UNITS[m[2]!.toLowerCase()]!), 0, max);
}

/** `&0xc0=0x80` and `&0xc0!=0x80`: some of the bits, in their places. */
function parseMask(text: string, max: number): NumberRange | undefined {
  const m = /^&(\d+|0x[\da-f]+)(!?=)(\d+|0x[\da-f]+)$/i.exec(text);
  if (!m) return undefined;
  const mask = parseNumber(m[1]!, 0, Math.min(max, MAX_MASK));
  const value = parseNumber(m[3]!, 0, Math.min(max, MAX_MASK));
  if ((value & ~mask) !== 0) throw new Error(`no number has the bits ${text}`);
  return { operator: m[2] === '=' ? '&=' : '&!=', a: mask, b: value };
}

/** `5`, `!5`, `<5`, `>5`, `<=5`, `>=5`, `3<>9`, `3-9`, with units also, and `&0xc0=0x80`. @throws {Error} when there is no such number. */
export function parseRange(text: string, max?: number): NumberRange {
  const range = parseLooseRange(text, max);
  const { operator, a, b } = range;
  if ((operator === '<>' && b - a === 1) || (operator === '<' && a === 0) || (operator === '>' && a === max))
    throw new Error(`there is no number ${text}`);
  return range;
}

/** The same, for keywords whose ranges may be empty in Suricata. */
export function parseLooseRange(text: string, max = Number.MAX_SAFE_INTEGER): NumberRange {
  const t = text.replace(/\s+/g, '');
  const mask = parseMask(t, max);
  if (mask) return mask;
  const between = /^(!?)(\d+(?:[kmg]i?b)?|0x[\da-f]+)(<>|-)(\d+(?:[kmg]i?b)?|0x[\da-f]+)$/i.exec(t);
  if (between) {
    const a = parseSize(between[2]!, max);
    const b = parseSize(between[4]!, max);
    if (a >= b) throw new Error(`the range ${t} ends before it begins`);
    return { operator: between[1] === '!' ? '!<>' : '<>', a, b };
  }
  const m = /^(!=|<=|>=|!|<|>|=)?(\d+(?:[kmg]i?b)?|0x[\da-f]+)$/i.exec(t);
  if (!m) throw new Error(`"${t}" is not a number or range`);
  const operator = m[1] === '!' || m[1] === '!=' ? '!=' : (m[1] ?? '=');
  return { operator: operator as NumberRange['operator'], a: parseSize(m[2]!, max), b: 0 };
}

/** @param n NaN for a field that is not there: it is in no range, nor beside one. */
export function inRange(range: NumberRange, n: number): boolean {
  switch (range.operator) {
    case '=':
      return n === range.a;
    case '!=':
      return n !== range.a && !Number.isNaN(n);
    case '<':
      return n < range.a;
    case '>':
      return n > range.a;
    case '<=':
      return n <= range.a;
    case '>=':
      return n >= range.a;
    case '<>':
      return n > range.a && n < range.b;
    case '&':
      return (n & range.a) !== 0;
    case '&=':
      return (n & range.a) === (range.b | 0);
    case '&!=':
      return (n & range.a) !== (range.b | 0) && !Number.isNaN(n);
    case '!<>':
      return n <= range.a || n >= range.b;
  }
}
