import { parseNumber } from '../parse/number.js';
import type { Asn1Match } from '../rule.js';
import type { RuleBuilder } from './builder.js';

/** `oversize_length 1000, bitstring_overflow, relative_offset 4`: one of these oddities is enough. */
export function asn1(b: RuleBuilder, value: string): void {
  const match: Asn1Match = {
    kind: 'asn1',
    oversizeLength: undefined,
    bitstringOverflow: false,
    doubleOverflow: false,
    offset: 0,
    relative: false,
  };
  for (const part of value.split(',').map((p) => p.trim())) {
    const [name = '', argument = ''] = part.split(/\s+/);
    if (name === 'bitstring_overflow' && argument === '') match.bitstringOverflow = true;
    else if (name === 'double_overflow' && argument === '') match.doubleOverflow = true;
    else if (name === 'oversize_length') match.oversizeLength = parseNumber(argument, 0, 0xffffffff);
    else if (name === 'absolute_offset') {
      match.offset = parseNumber(argument, 0, 65_535);
      match.relative = false;
    } else if (name === 'relative_offset') {
      match.offset = parseNumber(argument, -65_535, 65_535);
      match.relative = true;
    } else throw new Error(`"${part}" is not understood here`);
  }
  b.add(match);
}
