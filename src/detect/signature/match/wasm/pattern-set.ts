import { FOLD } from '../../parse/content.js';
import type { Steps } from '../../steps.js';
import {
  ENTRY,
  FOLD_BITS,
  GRAM_CLASS,
  HASH,
  LONG_FOLD_BITS,
  LONG_HASH,
  MAX_NIBBLE_CLASSES,
  NIBBLE_CLASS,
  PATTERN,
  SET,
} from './layout.js';
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

/** As many patterns go to one nibble class; with more of them too many positions would be candidates. */
const NIBBLE_PATTERNS = 64;
/**
 * Measured costs of searching 1,448 bytes, half of them text, microseconds: one nibble class, each pattern in it (for the
 * positions that it makes candidates), and a gram class by its stride.
 */
const COST = { nibbles: 0.5, nibblePattern: 0.009, long: 0.35, fourth: 0.35, second: 0.7, every: 2 } as const;
/** The gram is taken from a pattern's last bytes, so that little has to be searched again when a stream goes on. */
const TAIL_BYTES = 24;
const CHAINS = 8;
const GRAM_BYTES = 4;
/** So many bytes hold eight bytes that begin at a multiple of four, wherever they are. */
const LONG_BYTES = 11;

/** Rough share of each byte in traffic: text and zeroes are common. */
function commonness(b: number): number {
  if (b === 0) return 40;
  if (b === 32 || b === 101 || b === 116 || b === 97 || b === 111) return 30;
  if (b >= 97 && b <= 122) return 20;
  if (b === 47 || b === 46 || b === 45 || b === 58 || b === 61 || b === 13 || b === 10) return 18;
  if (b >= 48 && b <= 57) return 12;
  return 4;
}

const COMMONNESS = Uint8Array.from({ length: 256 }, (_, b) => commonness(FOLD[b]!));
/** Added to the score of grams that repeat one byte: padding is made of them. */
const REPEATED = 60;

/** Where the rarest `size` neighbouring bytes begin. */
export function rarestGram(bytes: Uint8Array, size: number): number {
  const first = Math.max(0, bytes.length - TAIL_BYTES);
  let best = first;
  let bestScore = Infinity;
  for (let at = first; at + size <= bytes.length; at++) {
    let score = 0;
    let isRepeated = true;
    for (let i = at; i < at + size; i++) {
      score += COMMONNESS[bytes[i]!]!;
      isRepeated &&= FOLD[bytes[i]!] === FOLD[bytes[at]!];
    }
    if (isRepeated) score += REPEATED;
    if (score < bestScore) {
      best = at;
      bestScore = score;
    }
  }
  return best;
}

/** Patterns that are worked at before others may run. */
const STEP_PATTERNS = 256;

/** Writes the tables of a pattern set into the scanner's memory. */
export class PatternSet {
  readonly address: number;
  /** Address of the indices found, in words. */
  readonly output: number;
  /** Bytes before the fresh ones from which on grams have to be looked for again. */
  reach = 0;
  readonly #scanner: Scanner;
  readonly #addresses: number[] = [];

  private constructor(scanner: Scanner, patterns: number) {
    this.#scanner = scanner;
    this.address = scanner.allocate(SET.SIZE);
    this.output = scanner.allocate(4 * patterns) / 4;
  }

  /** Made step by step, as thousands of patterns take a while. */
  static *make(scanner: Scanner, patterns: readonly ScanPattern[]): Steps<PatternSet> {
    const set = new PatternSet(scanner, patterns.length);
    yield* set.#write(patterns);
    return set;
  }

  *#write(patterns: readonly ScanPattern[]): Steps<void> {
    const scanner = this.#scanner;
    for (const [index, pattern] of patterns.entries()) {
      this.#addresses.push(this.#writePattern(pattern, index));
      if (index % STEP_PATTERNS === STEP_PATTERNS - 1) yield;
    }
    const kinds = distribute(patterns);
    const long = yield* this.#place(patterns, kinds.long, LONG_BYTES);
    const fourth = yield* this.#place(patterns, kinds.fourth, 7);
    const second = yield* this.#place(patterns, kinds.second, 5);
    const every = yield* this.#place(patterns, kinds.every, 4);
    const few = yield* this.#place(patterns, kinds.nibbles, NIBBLE_CLASS.WIDTH);
    few.sort(byGram);
    const classes = [
      [SET.FOURTH, yield* this.#writeGrams(fourth, 4)],
      [SET.SECOND, yield* this.#writeGrams(second, 2)],
      [SET.EVERY, yield* this.#writeGrams(every, 1)],
      [SET.LONG, yield* this.#writeLongGrams(long)],
      [SET.OUTPUT, 4 * this.output],
    ] as const;
    for (const [offset, value] of classes) scanner.words[(this.address + offset) / 4] = value;
    const parts = Math.min(MAX_NIBBLE_CLASSES, Math.ceil(few.length / NIBBLE_PATTERNS));
    for (let k = 0; k < parts; k++) {
      const part = few.slice(Math.floor((k * few.length) / parts), Math.floor(((k + 1) * few.length) / parts));
      const address = yield* this.#writeNibbles(part);
      scanner.words[(this.address + SET.NIBBLES) / 4 + k] = address;
    }
  }

  /** Chooses the gram of each pattern. */
  *#place(patterns: readonly ScanPattern[], indices: readonly number[], size: number): Steps<Placed[]> {
    const placed: Placed[] = [];
    for (const pattern of indices) {
      const { bytes, nocase } = patterns[pattern]!;
      const at = rarestGram(bytes, Math.min(size, bytes.length));
      this.reach = Math.max(this.reach, bytes.length - at);
      placed.push({ pattern, bytes, nocase, at });
      if (placed.length % STEP_PATTERNS === 0) yield;
    }
    return placed;
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
  #link(head: number, placed: Placed, at: number, gram: number, size: number = ENTRY.SIZE): number {
    const entry = this.#scanner.allocate(size, 4);
    const { words } = this.#scanner;
    words[(entry + ENTRY.GRAM) / 4] = gram;
    words[(entry + ENTRY.NEXT) / 4] = words[head / 4]!;
    words[(entry + ENTRY.PATTERN) / 4] = this.#addresses[placed.pattern]!;
    words[(entry + ENTRY.AT) / 4] = at;
    words[head / 4] = entry;
    return entry;
  }

  #allocateGrams(count: number): { address: number; shift: number; filter: number; chains: number } {
    const scanner = this.#scanner;
    // At least 64 filter bits for each gram.
    const bits = Math.min(15, Math.max(6, 32 - Math.clz32(2 * count - 1)));
    const address = scanner.allocate(GRAM_CLASS.SIZE);
    const filter = scanner.allocate(4 << bits);
    const chains = scanner.allocate(4 << bits);
    const shift = 32 - bits;
    scanner.words[(address + GRAM_CLASS.SHIFT) / 4] = shift;
    scanner.words[(address + GRAM_CLASS.FILTER) / 4] = filter;
    scanner.words[(address + GRAM_CLASS.CHAINS) / 4] = chains;
    return { address, shift, filter, chains };
  }

  *#writeLongGrams(patterns: readonly Placed[]): Steps<number> {
    if (patterns.length === 0) return 0;
    const scanner = this.#scanner;
    const { address, shift, filter, chains } = this.#allocateGrams(4 * patterns.length);
    for (const [i, placed] of patterns.entries()) {
      if (i % STEP_PATTERNS === STEP_PATTERNS - 1) yield;
      const view = new DataView(placed.bytes.buffer, placed.bytes.byteOffset);
      for (let at = placed.at; at < placed.at + 4; at++) {
        const gram = view.getBigUint64(at, true) | LONG_FOLD_BITS;
        const hash = Number(BigInt.asUintN(64, gram * LONG_HASH) >> 32n);
        const slot = hash >>> shift;
        scanner.words[filter / 4 + slot]! |= 1 << (hash & 31);
        const lowerHalf = Number(gram & 0xffffffffn);
        const entry = this.#link(chains + 4 * slot, placed, at, lowerHalf, ENTRY.LONG_SIZE);
        scanner.words[(entry + ENTRY.UPPER) / 4] = Number(gram >> 32n);
      }
    }
    return address;
  }

  *#writeGrams(patterns: readonly Placed[], stride: number): Steps<number> {
    if (patterns.length === 0) return 0;
    const scanner = this.#scanner;
    const { address, shift, filter, chains } = this.#allocateGrams(patterns.length * stride);
    for (const [i, placed] of patterns.entries()) {
      if (i % STEP_PATTERNS === STEP_PATTERNS - 1) yield;
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

  *#writeNibbles(patterns: readonly Placed[]): Steps<number> {
    const scanner = this.#scanner;
    const address = scanner.allocate(NIBBLE_CLASS.SIZE);
    const tables = new Uint8Array(32 * NIBBLE_CLASS.WIDTH);
    const short = patterns.filter((p) => p.bytes.length < GRAM_BYTES);
    const whole = patterns.filter((p) => p.bytes.length >= GRAM_BYTES);
    const shortChains = shareOfChains(short.length, patterns.length);
    const enter = (placed: Placed, chain: number): void => {
      for (let k = 0; k < NIBBLE_CLASS.WIDTH; k++) {
        const byte = placed.bytes[placed.at + k];
        for (const b of variants(byte, placed.nocase)) {
          tables[32 * k + (b & 15)]! |= 1 << chain;
          tables[32 * k + 16 + (b >>> 4)]! |= 1 << chain;
        }
      }
    };
    // Neighbours in order share their first bytes, so that a chain's tables stay sparse.
    for (const [i, placed] of short.entries()) {
      const chain = Math.floor((i * shortChains) / Math.max(shortChains, short.length));
      enter(placed, chain);
      this.#link(address + NIBBLE_CLASS.CHAINS + 4 * chain, placed, placed.at, 0);
    }
    const rest = CHAINS - shortChains;
    for (const [i, placed] of whole.entries())
      enter(placed, shortChains + Math.floor((i * rest) / Math.max(rest, whole.length)));
    scanner.write(address, tables);
    const grams = yield* this.#writeGrams(whole, 1);
    scanner.words[(address + NIBBLE_CLASS.SHORT) / 4] = (1 << shortChains) - 1;
    scanner.words[(address + NIBBLE_CLASS.GRAMS) / 4] = grams;
    return address;
  }
}

/** Of the eight chains, how many are for patterns shorter than a gram. */
function shareOfChains(short: number, all: number): number {
  if (short === 0) return 0;
  if (short === all) return CHAINS;
  return Math.min(CHAINS - 1, Math.max(1, Math.round((CHAINS * short) / all)));
}

interface Kinds {
  long: number[];
  fourth: number[];
  second: number[];
  every: number[];
  nibbles: number[];
}

/** Decides by which tables patterns are found: the cheapest of the possible ways. */
function distribute(patterns: readonly ScanPattern[]): Kinds {
  const ofLength = (from: number, to: number): number[] =>
    patterns.flatMap((p, i) => (p.bytes.length >= from && p.bytes.length <= to ? [i] : []));
  const tiny = ofLength(1, 3);
  const four = ofLength(4, 4);
  const middle = ofLength(5, 6);
  const seven = ofLength(7, LONG_BYTES - 1);
  const long = ofLength(LONG_BYTES, Infinity);
  const none: Kinds = { long: [], fourth: [], second: [], every: [], nibbles: [] };
  const ways: Kinds[] = [
    { ...none, nibbles: [...tiny, ...four, ...middle, ...seven, ...long] },
    { ...none, long, nibbles: [...tiny, ...four, ...middle, ...seven] },
    { ...none, long, fourth: seven, nibbles: [...tiny, ...four, ...middle] },
    { ...none, long, fourth: seven, second: middle, nibbles: [...tiny, ...four] },
    { ...none, long, fourth: seven, second: middle, every: four, nibbles: tiny },
  ];
  const cost = (way: Kinds): number => {
    const classes = Math.ceil(way.nibbles.length / NIBBLE_PATTERNS);
    if (classes > MAX_NIBBLE_CLASSES) return Infinity;
    const grams = (['long', 'fourth', 'second', 'every'] as const).filter((kind) => way[kind].length > 0);
    const few = classes * COST.nibbles + way.nibbles.length * COST.nibblePattern;
    return few + grams.reduce((sum, kind) => sum + COST[kind], 0);
  };
  return ways.reduce((best, way) => (cost(way) < cost(best) ? way : best), ways.at(-1)!);
}

/** In the order of the folded bytes that the tables look at. */
function byGram(a: Placed, b: Placed): number {
  for (let k = 0; k < NIBBLE_CLASS.WIDTH; k++) {
    const difference = (FOLD[a.bytes[a.at + k] ?? 0] ?? 0) - (FOLD[b.bytes[b.at + k] ?? 0] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

const ANY_BYTE = Array.from({ length: 256 }, (_, b) => b);

/** Bytes that a byte of a pattern stands for; beyond a short pattern's end, all. */
function variants(byte: number | undefined, nocase: boolean): readonly number[] {
  if (byte === undefined) return ANY_BYTE;
  return nocase && byte >= 97 && byte <= 122 ? [byte, byte - 32] : [byte];
}
