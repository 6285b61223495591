import { makePrefilter, type Prefilter, type PrefilterPattern } from '../match/prefilter.js';
import type { Scanner } from '../match/wasm/scanner.js';
import type { Rule } from '../rule.js';
import type { Steps } from '../steps.js';
import { fastPattern, lastByte, toPattern } from './fast-pattern.js';

/**
 * Contents that end within so many bytes of the beginning are looked for there only; a search of its own for more bytes would
 * cost more than it spares.
 */
const BEGINNING_BYTES = 32;

/** Rules that may match one kind of bytes, and the prefilters that find them. */
export interface PatternGroup {
  /** What `prefilter` looks for. */
  patterns: readonly PrefilterPattern[];
  prefilter: Prefilter;
  /** Patterns that can only be near the beginning: at most `shallowBytes` from it. */
  shallow: Prefilter;
  shallowBytes: number;
  /** Rules without a pattern to look for: always candidates. */
  always: readonly number[];
}

export function* makePatternGroup(rules: readonly Rule[], scanner: Scanner): Steps<PatternGroup> {
  const patterns: PrefilterPattern[] = [];
  const shallow: PrefilterPattern[] = [];
  const always: number[] = [];
  let shallowBytes = 0;
  for (const rule of rules) {
    const content = fastPattern(rule.payload);
    if (content === undefined) {
      always.push(rule.index);
      continue;
    }
    const end = lastByte(content);
    if (end <= BEGINNING_BYTES) {
      shallow.push(toPattern(content, rule.index));
      shallowBytes = Math.max(shallowBytes, end);
    } else patterns.push(toPattern(content, rule.index));
  }
  return {
    patterns,
    prefilter: yield* makePrefilter(patterns, scanner),
    shallow: yield* makePrefilter(shallow, scanner),
    shallowBytes,
    always,
  };
}
