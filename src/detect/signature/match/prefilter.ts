import { finish, type Steps } from '../steps.js';
import { PatternSet } from './wasm/pattern-set.js';
import { INPUT_BYTES, Scanner } from './wasm/scanner.js';

/**
 * Finds which of many patterns occur in a buffer. The search runs in WebAssembly: long patterns are looked for by a hash of
 * four bytes at every fourth or second position, short or few ones with vectors of sixteen positions.
 */
export interface Prefilter {
  readonly patterns: number;
  /** Bytes of the longest pattern: as many before the fresh ones are to be given again. */
  readonly longest: number;
  /** Calls `hit` once with the ids of each pattern that occurs in `data[from .. to)` and ends behind `fresh`. */
  scan(data: Uint8Array, from: number, to: number, fresh: number, hit: (ids: readonly number[]) => void): void;
}

export interface PrefilterPattern {
  /** Folded when `nocase`. */
  bytes: Uint8Array;
  nocase: boolean;
  id: number;
}

/** A pattern and whom to tell. */
interface Pattern {
  bytes: Uint8Array;
  nocase: boolean;
  ids: number[];
}

/** Patterns that are worked at before others may run. */
const STEP_PATTERNS = 1024;
const NOTHING: Prefilter = { patterns: 0, longest: 0, scan: () => undefined };

/** @param scanner holds the tables; prefilters that are used together share one. */
export function createPrefilter(given: readonly PrefilterPattern[], scanner = new Scanner()): Prefilter {
  return finish(makePrefilter(given, scanner));
}

/** The same step by step. */
export function* makePrefilter(given: readonly PrefilterPattern[], scanner: Scanner): Steps<Prefilter> {
  if (given.length === 0) return NOTHING;
  const patterns = yield* mergeEqual(given);
  const set = yield* PatternSet.make(scanner, patterns);
  const { address, output, reach } = set;

  function search(data: Uint8Array, from: number, to: number, fresh: number, hit: (ids: readonly number[]) => void) {
    const found = scanner.search(address, data, from, Math.max(from, fresh - reach), to, fresh);
    for (let i = 0; i < found; i++) hit(patterns[scanner.words[output + i]!]!.ids);
  }

  const longest = patterns.reduce((n, p) => Math.max(n, p.bytes.length), 0);
  return {
    patterns: patterns.length,
    longest,
    scan(data, from, to, fresh, hit) {
      let start = from;
      let seen = fresh;
      for (; to - start > INPUT_BYTES; start += INPUT_BYTES - longest) {
        search(data, start, start + INPUT_BYTES, seen, hit);
        seen = Math.max(seen, start + INPUT_BYTES);
      }
      if (to > start) search(data, start, to, seen, hit);
    },
  };
}

function* mergeEqual(patterns: readonly PrefilterPattern[]): Steps<Pattern[]> {
  const byKey = new Map<string, Pattern>();
  for (const [i, p] of patterns.entries()) {
    if (i % STEP_PATTERNS === STEP_PATTERNS - 1) yield;
    const key = `${p.nocase ? 'i' : 'c'}${Buffer.from(p.bytes).toString('latin1')}`;
    const known = byKey.get(key);
    if (known) known.ids.push(p.id);
    else byKey.set(key, { bytes: p.bytes, nocase: p.nocase, ids: [p.id] });
  }
  return [...byKey.values()];
}
