import { FOLD } from '../../parse/content.js';
import { ENTRY, FOLD_BITS, GRAM_CLASS, HASH, NIBBLE_CLASS, PATTERN, SET } from './layout.js';
import type { Scanner } from './scanner.js';

/** Bytes to look for; folded to lower case when `nocase`. */
export interface ScanPattern {
  bytes: Uint8Array;
  nocase: boolean;
}

/** A pattern and its gram's position within it. */
interface Placed {
  pattern: number;
  bytes: Uint8Array;
  nocase: boolean;
  at: number;
}

/** As many patterns go to the nibble tables; with more of them every position would be a candidate. */
const MAX_NIBBLES = 48;
/** The gram is taken from a pattern's last bytes, so that little has to be searched again when a stream goes on. */
const TAIL_BYTES = 24;
const CHAINS = 8;

/** Rough share of each byte in traffic: text and zeroes are common. */
function commonness(b: number): number {
  if (b === 0) return 40;
  if (b === 32 || b === 101 || b === 116 || b === 97 || b === 111) return 30;
  if (b >= 97 && b <= 122) return 20;
  if (b === 47 || b === 46 || b === 45 || b === 58 || b === 61 || b === 13 || b === 10) return 18;
  if (b >= 48 && b <= 57) return 12;
  return 4;
}

/** Where the rarest `size` neighbouring bytes begin. */
export function rarestGram(bytes: Uint8Array, size: number): number {
  const first = Math.max(0, bytes.length - TAIL_BYTES);
  let best = first;
  let bestScore = Infinity;
  for (let at = first; at + size <= bytes.length; at++) {
    const gram = bytes.subarray(at, at + size);
    let score = gram.reduce((sum, b) => sum + commonness(FOLD[b]!), 0);
    if (gram.every((b) => FOLD[b] === FOLD[gram[0]!])) score += 60;
    if (score < bestScore) {
      best = at;
      bestScore = score;
    }
  }
  return best;
}

/** Writes the tables of a pattern set into the scanner's memory. */
export class PatternSet {
  readonly address: number;
  /** Address of the indices found, in words. */
  readonly output: number;
  /** Bytes before the fresh ones from which on grams have to be looked for again. */
  readonly reach: number;
  readonly #scanner: Scanner;
  readonly #addresses: number[];

  constructor(scanner: Scanner, patterns: readonly ScanPattern[]) {
    this.#scanner = scanner;
    this.#addresses = patterns.map((p, index) => this.#writePattern(p, index));
    this.address = scanner.allocate(SET.SIZE);
    const output = scanner.allocate(4 * patterns.length);
    this.output = output / 4;
    const placed = (size: number, indices: readonly number[]): Placed[] =>
      indices.map((pattern) => {
        const { bytes, nocase } = patterns[pattern]!;
        return { pattern, bytes, nocase, at: rarestGram(bytes, Math.min(size, bytes.length)) };
      });
    const all = patterns.map((_, i) => i);
    const lengthOf = (i: number): number => patterns[i]!.bytes.length;
    const nibbles = new Set(all.length <= MAX_NIBBLES ? all : all.filter((i) => lengthOf(i) < 4));
    const fits = (extra: readonly number[]): boolean => nibbles.size > 0 && nibbles.size + extra.length <= MAX_NIBBLES;
    const take = (from: number, to: number): number[] => {
      const found = all.filter((i) => !nibbles.has(i) && lengthOf(i) >= from && lengthOf(i) <= to);
      if (!fits(found) || found.length === 0) return found;
      for (const i of found) nibbles.add(i);
      return [];
    };
    const every = placed(4, take(4, 4));
    const second = placed(5, take(5, 6));
    const fourth = placed(7, take(7, Infinity));
    const few = placed(3, [...nibbles]);
    const chosen = [every, second, fourth, few].flat();
    this.reach = chosen.reduce((most, p) => Math.max(most, p.bytes.length - p.at), 0);
    const classes = [
      [SET.FOURTH, this.#writeGrams(fourth, 4)],
      [SET.SECOND, this.#writeGrams(second, 2)],
      [SET.EVERY, this.#writeGrams(every, 1)],
      [SET.NIBBLES, this.#writeNibbles(few)],
      [SET.OUTPUT, output],
    ] as const;
    for (const [offset, value] of classes) scanner.words[(this.address + offset) / 4] = value;
  }

  #writePattern({ bytes, nocase }: ScanPattern, index: number): number {
    const scanner = this.#scanner;
    const address = scanner.allocate(PATTERN.BYTES + bytes.length);
    scanner.write(address + PATTERN.BYTES, bytes);
    const { words } = scanner;
    words[(address + PATTERN.LENGTH) / 4] = bytes.length;
    words[(address + PATTERN.NOCASE) / 4] = nocase ? 1 : 0;
    words[(address + PATTERN.INDEX) / 4] = index;
    return address;
  }

  /** Puts an entry before the others of a chain. @param head address of the chain's first entry. */
  #link(head: number, placed: Placed, at: number, gram: number): void {
    const entry = this.#scanner.allocate(ENTRY.SIZE);
    const { words } = this.#scanner;
    words[(entry + ENTRY.GRAM) / 4] = gram;
    words[(entry + ENTRY.NEXT) / 4] = words[head / 4]!;
    words[(entry + ENTRY.PATTERN) / 4] = this.#addresses[placed.pattern]!;
    words[(entry + ENTRY.AT) / 4] = at;
    words[head / 4] = entry;
  }

  #writeGrams(patterns: readonly Placed[], stride: number): number {
    if (patterns.length === 0) return 0;
    const scanner = this.#scanner;
    // At least 64 filter bits for each gram.
    const bits = Math.min(15, Math.max(6, 32 - Math.clz32(2 * patterns.length * stride - 1)));
    const address = scanner.allocate(GRAM_CLASS.SIZE);
    const filter = scanner.allocate(4 << bits);
    const chains = scanner.allocate(4 << bits);
    const shift = 32 - bits;
    scanner.words[(address + GRAM_CLASS.SHIFT) / 4] = shift;
    scanner.words[(address + GRAM_CLASS.FILTER) / 4] = filter;
    scanner.words[(address + GRAM_CLASS.CHAINS) / 4] = chains;
    for (const placed of patterns) {
      const { bytes } = placed;
      for (let at = placed.at; at < placed.at + stride; at++) {
        const word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
        const gram = word | FOLD_BITS;
        const hash = Math.imul(gram, HASH) >>> 0;
        const slot = hash >>> shift;
        scanner.words[filter / 4 + slot]! |= 1 << (hash & 31);
        this.#link(chains + 4 * slot, placed, at, gram);
      }
    }
    return address;
  }

  #writeNibbles(patterns: readonly Placed[]): number {
    if (patterns.length === 0) return 0;
    const scanner = this.#scanner;
    const address = scanner.allocate(NIBBLE_CLASS.SIZE);
    const tables = new Uint8Array(6 * 16);
    // Neighbours in order share their first bytes, so that a chain's tables stay sparse.
    const sorted = [...patterns].sort((a, b) => FOLD[a.bytes[a.at]!]! - FOLD[b.bytes[b.at]!]!);
    for (const [i, placed] of sorted.entries()) {
      const chain = Math.floor((i * CHAINS) / Math.max(CHAINS, sorted.length));
      for (let k = 0; k < 3; k++) {
        const byte = placed.bytes[placed.at + k];
        for (const b of variants(byte, placed.nocase)) {
          tables[32 * k + (b & 15)]! |= 1 << chain;
          tables[32 * k + 16 + (b >>> 4)]! |= 1 << chain;
        }
      }
      this.#link(address + NIBBLE_CLASS.CHAINS + 4 * chain, placed, placed.at, 0);
    }
    scanner.write(address, tables);
    return address;
  }
}

const ANY_BYTE = Array.from({ length: 256 }, (_, b) => b);

/** Bytes that a byte of a pattern stands for; beyond a short pattern's end, all. */
function variants(byte: number | undefined, nocase: boolean): readonly number[] {
  if (byte === undefined) return ANY_BYTE;
  return nocase && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte];
}
