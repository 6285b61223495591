import type { NumberRange } from '../rule.js';
import { inRange, parseRange } from './number.js';

/** Which of several numbers have to be in a range, as Suricata 8 writes it behind the range: `1,all`, `A,0`, `>5,nb>2`. */
export type Among =
  | { kind: 'any' | 'all' | 'all_or_absent' | 'or_absent' }
  /** One place, counted from the end when negative; `orOutside`: or there is no such place. */
  | { kind: 'index'; index: number; orOutside: boolean }
  /** How many of them. */
  | { kind: 'count'; range: NumberRange };

const PLAIN = /^(any|all|all_or_absent|or_absent)$/;
const MAX_COUNT = 0xffffffff;

/** @throws {Error} with a sentence for people. */
export function parseAmong(text: string): Among {
  const t = text.trim();
  if (PLAIN.test(t)) return { kind: t as 'any' };
  const place = /^(oob_or\s+)?(-?\d{1,4})$/.exec(t);
  if (place) return { kind: 'index', index: Number(place[2]), orOutside: place[1] !== undefined };
  if (t.startsWith('nb')) return { kind: 'count', range: parseRange(t.slice(2), MAX_COUNT) };
  throw new Error(`"${t}" does not say which of the numbers are meant`);
}

/** Splits `RANGE[,WHICH]`. */
export function splitAmong(value: string): { range: string; among: Among } {
  const [range = '', which, more] = value.split(',').map((part) => part.trim());
  if (more !== undefined) throw new Error('has two parts at most: a range, and which of the numbers are meant');
  return { range, among: which === undefined ? { kind: 'any' } : parseAmong(which) };
}

/** Whether those of `values` that `among` names are in one of the ranges. */
export function amongInRange(among: Among, ranges: readonly NumberRange[], values: readonly number[]): boolean {
  const isIn = (n: number): boolean => ranges.some((range) => inRange(range, n));
  switch (among.kind) {
    case 'any':
      return values.some(isIn);
    case 'all':
      return values.length > 0 && values.every(isIn);
    case 'all_or_absent':
      return values.every(isIn);
    case 'or_absent':
      return values.length === 0 || values.some(isIn);
    case 'index': {
      const value = values.at(among.index);
      return value === undefined ? among.orOutside : isIn(value);
    }
    case 'count':
      return inRange(among.range, values.filter(isIn).length);
  }
}
