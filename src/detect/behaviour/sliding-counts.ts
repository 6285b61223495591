import type { AddressTable } from './address-table.js';

/** An entry's record: when its present window began, whose it is, then each counter's present and previous amount. */
const START_US = 0;
const GENERATION = 1;
const COUNTERS = 2;

/**
 * Sliding counters by table entry: the present window plus the share of the previous one that is still inside. Bursts
 * that fall across a window's border are counted whole.
 */
export class SlidingCounts {
  private readonly table: AddressTable;
  private readonly windowUs: number;
  private readonly stride: number;
  private readonly records: Float64Array;

  constructor(table: AddressTable, counters: number, windowSecs: number) {
    this.table = table;
    this.windowUs = windowSecs * 1e6;
    this.stride = COUNTERS + 2 * counters;
    this.records = new Float64Array(table.capacity * this.stride);
  }

  /** Adds to a counter. @returns its sliding value. */
  add(index: number, counter: number, amount: number, nowUs: number): number {
    this.roll(index, nowUs);
    return this.addRolled(index, counter, amount, nowUs);
  }

  /** The same right after {@link roll}. */
  addRolled(index: number, counter: number, amount: number, nowUs: number): number {
    this.records[this.at(index, counter)]! += amount;
    return this.slide(index, counter, nowUs);
  }

  value(index: number, counter: number, nowUs: number): number {
    this.roll(index, nowUs);
    return this.slide(index, counter, nowUs);
  }

  /** Amount in the present window alone. */
  present(index: number, counter: number): number {
    return this.records[this.at(index, counter)]!;
  }

  /** Seconds since the present window began. */
  presentSecs(index: number, nowUs: number): number {
    return Math.max(0, nowUs - this.records[index * this.stride + START_US]!) / 1e6;
  }

  private at(index: number, counter: number): number {
    return index * this.stride + COUNTERS + 2 * counter;
  }

  private slide(index: number, counter: number, nowUs: number): number {
    const at = this.at(index, counter);
    const before = this.records[at + 1]!;
    if (before === 0) return this.records[at]!;
    const gone = (nowUs - this.records[index * this.stride + START_US]!) / this.windowUs;
    return this.records[at]! + before * (1 - Math.min(1, Math.max(0, gone)));
  }

  /** Moves the windows to `nowUs`. @returns true when a new window began. */
  roll(index: number, nowUs: number): boolean {
    const { records, windowUs } = this;
    const from = index * this.stride;
    const own = records[from + GENERATION] === this.table.generation(index);
    const elapsed = nowUs - records[from + START_US]!;
    if (own && elapsed < windowUs) return false;
    const next = own && elapsed < 2 * windowUs;
    records[from + GENERATION] = this.table.generation(index);
    records[from + START_US] = next ? records[from + START_US]! + windowUs : nowUs;
    for (let at = from + COUNTERS; at < from + this.stride; at += 2) {
      records[at + 1] = next ? records[at]! : 0;
      records[at] = 0;
    }
    return true;
  }
}
