import { KeyTable } from './key-table.js';

/** Bits of one distinct-value bitmap. */
const BITS = 256;
const WORDS = BITS / 32;

/**
 * Sliding-window counters and distinct-value estimates for many keys. Each key has a current and a previous window
 * that begin at the key's first sight; a counter reads as current + previous x (share of it still inside the window),
 * a distinct count as linear counting (Whang et al. 1990) over both bitmaps, so it looks back one to two windows.
 */
export class WindowTable {
  readonly table: KeyTable;
  private readonly windowUs: number;
  private readonly counters: number;
  private readonly sketches: number;
  private readonly startUs: Float64Array;
  private readonly current: Float64Array;
  private readonly previous: Float64Array;
  private readonly currentBits: Uint32Array;
  private readonly previousBits: Uint32Array;

  constructor(shape: { capacity: number; keyWords: number; counters: number; sketches: number; windowSecs: number }) {
    this.table = new KeyTable(shape.capacity, shape.keyWords);
    const n = this.table.capacity;
    this.windowUs = shape.windowSecs * 1e6;
    this.counters = shape.counters;
    this.sketches = shape.sketches;
    this.startUs = new Float64Array(n);
    this.current = new Float64Array(n * shape.counters);
    this.previous = new Float64Array(n * shape.counters);
    this.currentBits = new Uint32Array(n * shape.sketches * WORDS);
    this.previousBits = new Uint32Array(n * shape.sketches * WORDS);
  }

  /** Finds or makes the entry of `table.key` and moves its windows up to `nowUs`. */
  touch(nowUs: number): number {
    const index = this.table.acquire(nowUs);
    if (this.table.inserted) {
      this.startUs[index] = nowUs;
      this.clear(index, true);
      return index;
    }
    this.roll(index, nowUs);
    return index;
  }

  /** Entry of `table.key` with its windows at `nowUs`, or -1. */
  find(nowUs: number): number {
    const index = this.table.find();
    if (index >= 0) this.roll(index, nowUs);
    return index;
  }

  add(index: number, counter: number, amount: number): void {
    this.current[index * this.counters + counter]! += amount;
  }

  mark(index: number, sketch: number, hash: number): void {
    const bit = hash & (BITS - 1);
    this.currentBits[(index * this.sketches + sketch) * WORDS + (bit >>> 5)]! |= 1 << (bit & 31);
  }

  value(index: number, counter: number, nowUs: number): number {
    const gone = Math.min(1, Math.max(0, (nowUs - this.startUs[index]!) / this.windowUs));
    const at = index * this.counters + counter;
    return this.current[at]! + this.previous[at]! * (1 - gone);
  }

  /** Distinct hashes marked in the current and previous window, to the nearest integer; full at 1,420. */
  distinct(index: number, sketch: number): number {
    const at = (index * this.sketches + sketch) * WORDS;
    let zeros = BITS;
    for (let w = at; w < at + WORDS; w++) zeros -= popCount(this.currentBits[w]! | this.previousBits[w]!);
    return Math.round(BITS * Math.log(BITS / Math.max(1, zeros)));
  }

  private roll(index: number, nowUs: number): void {
    const elapsed = nowUs - this.startUs[index]!;
    if (elapsed < this.windowUs) return;
    const windows = Math.floor(elapsed / this.windowUs);
    this.startUs[index] = this.startUs[index]! + windows * this.windowUs;
    if (windows === 1) {
      const c = index * this.counters;
      for (let i = c; i < c + this.counters; i++) this.previous[i] = this.current[i]!;
      const b = index * this.sketches * WORDS;
      for (let i = b; i < b + this.sketches * WORDS; i++) this.previousBits[i] = this.currentBits[i]!;
    }
    this.clear(index, windows > 1);
  }

  private clear(index: number, both: boolean): void {
    const c = index * this.counters;
    const b = index * this.sketches * WORDS;
    this.current.fill(0, c, c + this.counters);
    this.currentBits.fill(0, b, b + this.sketches * WORDS);
    if (!both) return;
    this.previous.fill(0, c, c + this.counters);
    this.previousBits.fill(0, b, b + this.sketches * WORDS);
  }
}

function popCount(word: number): number {
  let v = word - ((word >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
