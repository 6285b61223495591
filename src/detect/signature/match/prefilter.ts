import { FOLD } from '../parse/content.js';

/** A pattern of the prefilter and whom to tell. */
interface Pattern {
  bytes: Uint8Array;
  nocase: boolean;
  ids: number[];
}

/** A gram that stands for a pattern. */
interface Entry {
  pattern: Pattern;
  /** Position of the gram within the pattern. */
  at: number;
}

/** Patterns of at least this many bytes contain a gram at every fourth position: only those are looked up. */
const STRIDE = 4;
const LONG_BYTES = 4 + STRIDE - 1;

const TABLE_BITS = 17;
const TABLE_SIZE = 1 << TABLE_BITS;

/**
 * Finds which of many patterns occur in a buffer. Patterns are represented by their rarest four-byte grams; a hash of
 * the folded bytes under the window is looked up in a table that fits the cache, and only hits are compared. Long patterns
 * are looked for at every fourth byte only, those of one to three bytes have tables of their own.
 */
export interface Prefilter {
  readonly patterns: number;
  /** Bytes of the longest pattern. */
  readonly longest: number;
  /**
   * Calls `hit` with the ids of each pattern that occurs in `data[from .. to)` and ends behind `fresh`; an id may come more
   * than once.
   */
  scan(data: Uint8Array, from: number, to: number, fresh: number, hit: (ids: readonly number[]) => void): void;
}

export interface PrefilterPattern {
  /** Folded when `nocase`. */
  bytes: Uint8Array;
  nocase: boolean;
  id: number;
}

interface Span {
  from: number;
  to: number;
  fresh: number;
  hit: (ids: readonly number[]) => void;
}

/** Rough share of each byte in traffic: text and zeroes are common. */
function commonness(b: number): number {
  if (b === 0) return 40;
  if (b === 32 || b === 101 || b === 116 || b === 97 || b === 111) return 30;
  if (b >= 97 && b <= 122) return 20;
  if (b === 47 || b === 46 || b === 45 || b === 58 || b === 61 || b === 13 || b === 10) return 18;
  if (b >= 48 && b <= 57) return 12;
  return 4;
}

function rarestGram(bytes: Uint8Array, size: number): number {
  let best = 0;
  let bestScore = Infinity;
  for (let at = 0; at + size <= bytes.length; at++) {
    let score = 0;
    for (let i = 0; i < size; i++) score += commonness(FOLD[bytes[at + i]!]!);
    const first = FOLD[bytes[at]!]!;
    let same = true;
    for (let i = 1; i < size; i++) same &&= FOLD[bytes[at + i]!]! === first;
    if (same) score += 60;
    if (score < bestScore) {
      best = at;
      bestScore = score;
    }
  }
  return best;
}

const hash4 = (gram: number): number => Math.imul(gram, 0x9e3779b1) >>> (32 - TABLE_BITS);

export function createPrefilter(patterns: readonly PrefilterPattern[]): Prefilter {
  const merged = mergeEqual(patterns);
  const long = new Map<number, Entry[]>();
  const four = new Map<number, Entry[]>();
  const two = new Map<number, Entry[]>();
  const one = new Map<number, Entry[]>();
  const bitsLong = new Uint8Array(TABLE_SIZE);
  const bits4 = new Uint8Array(TABLE_SIZE);
  const bits2 = new Uint8Array(65536);
  const bits1 = new Uint8Array(256);
  const put = (map: Map<number, Entry[]>, key: number, entry: Entry): void => {
    const list = map.get(key);
    if (list) list.push(entry);
    else map.set(key, [entry]);
  };
  for (const pattern of merged) {
    const { bytes } = pattern;
    const f = (i: number): number => FOLD[bytes[i]!]!;
    const gramAt = (at: number): number => (f(at) << 24) | (f(at + 1) << 16) | (f(at + 2) << 8) | f(at + 3);
    if (bytes.length >= LONG_BYTES) {
      const begin = rarestGram(bytes, LONG_BYTES);
      for (let at = begin; at < begin + STRIDE; at++) {
        bitsLong[hash4(gramAt(at))] = 1;
        put(long, gramAt(at), { pattern, at });
      }
    } else if (bytes.length >= 4) {
      const at = rarestGram(bytes, 4);
      bits4[hash4(gramAt(at))] = 1;
      put(four, gramAt(at), { pattern, at });
    } else if (bytes.length >= 2) {
      const at = rarestGram(bytes, 2);
      const gram = (f(at) << 8) | f(at + 1);
      bits2[gram] = 1;
      put(two, gram, { pattern, at });
    } else {
      bits1[f(0)] = 1;
      put(one, f(0), { pattern, at: 0 });
    }
  }
  const longest = merged.reduce((n, p) => Math.max(n, p.bytes.length), 0);

  function verify(list: readonly Entry[], data: Uint8Array, gramStart: number, span: Span): void {
    for (const { pattern, at } of list) {
      const start = gramStart - at;
      const length = pattern.bytes.length;
      if (start < span.from || start + length > span.to || start + length <= span.fresh) continue;
      let i = 0;
      if (pattern.nocase) while (i < length && FOLD[data[start + i]!] === pattern.bytes[i]) i++;
      else while (i < length && data[start + i] === pattern.bytes[i]) i++;
      if (i === length) span.hit(pattern.ids);
    }
  }

  return {
    patterns: merged.length,
    longest,
    scan(data, from, to, fresh, hit) {
      const span: Span = { from, to, fresh, hit };
      if (long.size > 0) scanLong(data, span);
      if (four.size > 0) scanFour(data, span);
      if (two.size > 0) scanTwo(data, span);
      if (one.size > 0) {
        for (let i = from; i < to; i++)
          if (bits1[FOLD[data[i]!]!] === 1) verify(one.get(FOLD[data[i]!]!)!, data, i, span);
      }
    },
  };

  function scanLong(data: Uint8Array, span: Span): void {
    const fold = FOLD;
    const table = bitsLong;
    const last = span.to - 4;
    for (let i = span.from; i <= last; i += STRIDE) {
      const gram =
        (fold[data[i]!]! << 24) | (fold[data[i + 1]!]! << 16) | (fold[data[i + 2]!]! << 8) | fold[data[i + 3]!]!;
      if (table[Math.imul(gram, 0x9e3779b1) >>> (32 - TABLE_BITS)] !== 0) {
        const list = long.get(gram);
        if (list !== undefined) verify(list, data, i, span);
      }
    }
  }

  /** The loop that sees every byte: one load, one multiplication, one look-up each. */
  function scanFour(data: Uint8Array, span: Span): void {
    const { from, to } = span;
    if (to - from < 4) return;
    const fold = FOLD;
    const table = bits4;
    let gram = (fold[data[from]!]! << 16) | (fold[data[from + 1]!]! << 8) | fold[data[from + 2]!]!;
    for (let i = from + 3; i < to; i++) {
      gram = (gram << 8) | fold[data[i]!]!;
      if (table[Math.imul(gram, 0x9e3779b1) >>> (32 - TABLE_BITS)] !== 0) {
        const list = four.get(gram);
        if (list !== undefined) verify(list, data, i - 3, span);
      }
    }
  }

  function scanTwo(data: Uint8Array, span: Span): void {
    const fold = FOLD;
    const table = bits2;
    let gram = span.from < span.to ? fold[data[span.from]!]! : 0;
    for (let i = span.from + 1; i < span.to; i++) {
      gram = ((gram << 8) | fold[data[i]!]!) & 0xffff;
      if (table[gram] !== 0) verify(two.get(gram)!, data, i - 1, span);
    }
  }
}

function mergeEqual(patterns: readonly PrefilterPattern[]): Pattern[] {
  const byKey = new Map<string, Pattern>();
  for (const p of patterns) {
    const key = `${p.nocase ? 'i' : 'c'}${Buffer.from(p.bytes).toString('latin1')}`;
    const known = byKey.get(key);
    if (known) known.ids.push(p.id);
    else byKey.set(key, { bytes: p.bytes, nocase: p.nocase, ids: [p.id] });
  }
  return [...byKey.values()];
}
