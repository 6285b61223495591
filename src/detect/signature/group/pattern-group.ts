import { createPrefilter, type Prefilter, type PrefilterPattern } from '../match/prefilter.js';
import type { Scanner } from '../match/wasm/scanner.js';
import type { Rule } from '../rule.js';
import { fastPattern, lastByte, SHALLOW_BYTES, toPattern } from './fast-pattern.js';

/** Rules that may match one kind of bytes, and the prefilters that find them. */
export interface PatternGroup {
  prefilter: Prefilter;
  /** Patterns that can only be near the beginning: at most `shallowBytes` from it. */
  shallow: Prefilter;
  shallowBytes: number;
  /** Rules without a pattern to look for: always candidates. */
  always: readonly number[];
}

export function createPatternGroup(rules: readonly Rule[], scanner: Scanner): PatternGroup {
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
    if (end <= SHALLOW_BYTES) {
      shallow.push(toPattern(content, rule.index));
      shallowBytes = Math.max(shallowBytes, end);
    } else patterns.push(toPattern(content, rule.index));
  }
  return {
    prefilter: createPrefilter(patterns, scanner),
    shallow: createPrefilter(shallow, scanner),
    shallowBytes,
    always,
  };
}
