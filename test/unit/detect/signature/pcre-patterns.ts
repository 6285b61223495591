import { fc } from '../../../support/fuzz.js';

const ATOMS = ['a', 'b', '.', '\\d', '\\s', '\\w', '[ab]', '[^a]', '[^\\n]', '[a-z]', '\\x61', '\xe9', '[A-Z\\xe0-\\xff]', '^', '$', '\\b', '\\B', '\\1', '\\2', '(?P=n)', '\\R', '\\h', '[[:alpha:]]', '\\Qa+\\E', '\\A', '\\z', '\\Z', ''] as const; // prettier-ignore
const OPENERS = ['(', '(?:', '(?>', '(?=', '(?!', '(?<=', '(?<!', '(?i)(', '(?i:', '(?P<n>', '(?#'] as const;
const OTHERS = ['', '|', '|b', '|a*', '|[^b]+'] as const;
const REPEATS = ['', '', '', '*', '+', '?', '*?', '+?', '??', '++', '{2}', '{1,3}', '{0,2}?', '{0,200}', '{2,}'] as const; // prettier-ignore

/** Patterns as rules could have them, sound ones and others. */
export const pcrePattern: fc.Arbitrary<string> = fc.letrec<{ node: string; group: string; atom: string }>((tie) => ({
  node: fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('atom'), tie('group')), { maxLength: 4 }).map((x) => x.join('')),
  atom: fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...REPEATS)).map(([a, r]) => a + r),
  group: fc
    .tuple(fc.constantFrom(...OPENERS), tie('node'), fc.constantFrom(...OTHERS), fc.constantFrom(...REPEATS))
    .map(([open, inner, or, repeat]) => `${open}${inner}${or})${repeat}`),
})).node; // prettier-ignore
