import type { EntropyMatch } from '../rule.js';
import { parseNumber } from './number.js';

const NUMBER = '\\d+(?:\\.\\d+)?';
const BETWEEN = new RegExp(`^(!?)(${NUMBER})(?:<>|-)(${NUMBER})$`);
const COMPARED = new RegExp(`^(!=|<=|>=|!|<|>|=)?(${NUMBER})$`);
const MAX_OFFSET = 65_535;

/** `5.2`, `!5`, `<5`, `>=5.5`, `3.5-7`, which has neither end in it. */
function parseValue(text: string): EntropyMatch['isIn'] {
  const t = text.replace(/\s+/g, '');
  const between = BETWEEN.exec(t);
  if (between) {
    const [from, to] = [Number(between[2]), Number(between[3])];
    if (from >= to) throw new Error(`the range ${t} ends before it begins`);
    return (n) => (n > from && n < to) !== (between[1] === '!');
  }
  const m = COMPARED.exec(t);
  if (!m) throw new Error(`"${text}" is not a number or range`);
  const wanted = Number(m[2]);
  switch (m[1]) {
    case '<':
      return (n) => n < wanted;
    case '<=':
      return (n) => n <= wanted;
    case '>':
      return (n) => n > wanted;
    case '>=':
      return (n) => n >= wanted;
    case '!':
    case '!=':
      return (n) => n !== wanted;
    default:
      return (n) => n === wanted;
  }
}

/** `[bytes N,] [offset N,] value RANGE`, in any order. */
export function parseEntropy(value: string): EntropyMatch {
  const given = new Map<string, string>();
  for (const part of value.split(',')) {
    const [, key = '', argument = ''] = /^\s*(bytes|offset|value)\s*(.+)$/.exec(part) ?? [];
    if (key === '') throw new Error(`"${part.trim()}" is not understood here`);
    if (given.has(key)) throw new Error(`${key} is given twice`);
    given.set(key, argument.trim());
  }
  const wanted = given.get('value');
  if (wanted === undefined) throw new Error('needs a value');
  return {
    kind: 'entropy',
    offset: parseNumber(given.get('offset') ?? '0', 0, MAX_OFFSET),
    bytes: parseNumber(given.get('bytes') ?? '0', 0),
    isIn: parseValue(wanted),
  };
}
