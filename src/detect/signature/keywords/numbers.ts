import type { Direction } from '../../../domain/flow.js';
import { parseNumber, parseRange } from '../parse/number.js';
import type { NumberRange } from '../rule.js';
import type { RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';
import { own } from '../../../util/own.js';

/** Compares one number of a transaction; the rule is about its protocols from then on. */
export function addNumber(
  b: RuleBuilder,
  name: string,
  range: NumberRange,
  protos: readonly string[],
  direction?: Direction,
): void {
  b.rule.transactionTests.push({ kind: 'number', name, range, direction });
  useProtos(b, protos);
}

/**
 * The rule is about transactions of these protocols.
 * @throws {Error} when it is about another one.
 */
export function useProtos(b: RuleBuilder, protos: readonly string[]): void {
  const { rule } = b;
  const shared = rule.appProtos?.filter((p) => protos.includes(p)) ?? [...protos];
  if (shared.length === 0) throw new Error(`is not a part of ${rule.proto}`);
  rule.appProtos = shared;
}

/** Any of several ranges. */
export function addNumbers(
  b: RuleBuilder,
  name: string,
  ranges: readonly NumberRange[],
  protos: readonly string[],
  direction?: Direction,
): void {
  const [range, ...orRanges] = ranges;
  if (range === undefined) throw new Error('needs a number');
  b.rule.transactionTests.push({ kind: 'number', name, range, orRanges, direction });
  useProtos(b, protos);
}

export const equals = (a: number, negated = false): NumberRange => ({ operator: negated ? '!=' : '=', a, b: 0 });

/** A number or range, or a name of one, either with `!`. */
export function codeRange(text: string, names: Readonly<Record<string, number>>, max: number): NumberRange {
  const name = text.replace(/^!/, '').trim().toLowerCase();
  const known = own(names, name);
  return known === undefined ? parseRange(text, max) : equals(known, text.startsWith('!'));
}

/** A keyword that is a number or range. */
export function number(
  name: string,
  protos: readonly string[],
  limits: { max?: number; direction?: Direction } = {},
): Keyword {
  return (b, value) => {
    addNumber(b, name, parseRange(value, limits.max), protos, limits.direction);
  };
}

/** What has names fits into a byte. */
const MAX_NAMED = 255;

/** One of several names with their numbers, or the number itself; `!` before it negates. */
export function named(
  name: string,
  protos: readonly string[],
  names: Readonly<Record<string, number>>,
  direction?: Direction,
): Keyword {
  return (b, value) => {
    const negated = value.startsWith('!');
    const wanted = value.replace(/^!/, '').trim().toLowerCase();
    const known = /^\d+$/.test(wanted) ? parseNumber(wanted, 0, MAX_NAMED) : own(names, wanted);
    if (known === undefined) throw new Error(`"${wanted}" is none of ${Object.keys(names).join(', ')}`);
    addNumber(b, name, equals(known, negated), protos, direction);
  };
}

/** `dup,!retain`: the flags that are named, and which of them are to be set. @throws {Error} when one has no such name. */
export function readFlags(text: string, bits: Readonly<Record<string, number>>): { mask: number; wanted: number } {
  let mask = 0;
  let wanted = 0;
  for (const part of text.split(',').map((p) => p.trim().toLowerCase())) {
    const bit = own(bits, part.replace(/^!/, ''));
    if (bit === undefined) throw new Error(`"${part}" is none of ${Object.keys(bits).join(', ')}`);
    mask |= bit;
    if (!part.startsWith('!')) wanted |= bit;
  }
  return { mask, wanted };
}
