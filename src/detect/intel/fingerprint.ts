import { INDICATOR_TYPES, type IndicatorType } from '../../domain/indicator.js';

/** Words of a slot: two of the value's fingerprint, one with the number of its entry plus one. */
export const SLOT_WORDS = 3;

/** Kinds of text; networks use their prefix length, IPv6 64 more. */
export const TEXT_KIND = Object.fromEntries(INDICATOR_TYPES.map((type, i) => [type, 256 + i])) as Record<
  IndicatorType,
  number
>;

/** Mask of word `w` of a prefix; IPv4 has one word, numbered 0 here. */
export function maskWord(length: number, w: number): number {
  const bits = length - 32 * w;
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

/** MurmurHash3's step and finalizer (A. Appleby, public domain), keyed by the start value. */
export function step(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  const h = hash ^ Math.imul(k, 0x1b873593);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

export function finish(hash: number, kind: number): number {
  let h = step(hash, kind);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

export function hashWords(seed: number, kind: number, w0: number, w1: number, w2: number, w3: number): number {
  return finish(step(step(step(step(seed, w0), w1), w2), w3), kind);
}

/** Half a fingerprint of a text: from its end, so that the hash of a name passes through those of the names above it. */
export function hashText(seed: number, kind: number, text: string): number {
  let hash = seed;
  for (let i = text.length - 1; i >= 0; i--) hash = step(hash, text.charCodeAt(i));
  return finish(hash, kind);
}
