import type { NumberRange } from '../rule.js';

/** A whole number, decimal or `0x...`. */
export function parseNumber(text: string, from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER): number {
  const t = text.trim();
  if (!/^[-+]?(\d+|0x[0-9a-fA-F]+)$/.test(t)) throw new Error(`"${t}" is not a number`);
  const n = t.startsWith('-') ? -Number(t.slice(1)) : Number(t.replace(/^\+/, ''));
  if (n < from || n > to) throw new Error(`${t} is not between ${from} and ${to}`);
  return n;
}

/** `5`, `!5`, `<5`, `>5`, `<=5`, `>=5`, `3<>9` and `3-9`. @throws {Error} when there is no such number. */
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
  const between = /^(!?)(\d+|0x[\da-fA-F]+)(<>|-)(\d+|0x[\da-fA-F]+)$/.exec(t);
  if (between) {
    const a = parseNumber(between[2]!, 0, max);
    const b = parseNumber(between[4]!, 0, max);
    if (a >= b) throw new Error(`the range ${t} ends before it begins`);
    return { operator: between[1] === '!' ? '!<>' : '<>', a, b };
  }
  const m = /^(!=|<=|>=|!|<|>|=)?(\d+|0x[\da-fA-F]+)$/.exec(t);
  if (!m) throw new Error(`"${t}" is not a number or range`);
  const operator = m[1] === '!' || m[1] === '!=' ? '!=' : (m[1] ?? '=');
  return { operator: operator as NumberRange['operator'], a: parseNumber(m[2]!, 0, max), b: 0 };
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
    case '!<>':
      return n <= range.a || n >= range.b;
  }
}
