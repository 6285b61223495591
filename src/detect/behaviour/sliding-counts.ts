import type { AddressTable } from './address-table.js';

/**
 * Sliding counters by table entry: the present window plus the share of the previous one that is still inside. Bursts
 * that fall across a window's border are counted whole.
 */
export class SlidingCounts {
  private readonly table: AddressTable;
  private readonly windowUs: number;
  private readonly counters: number;
  private readonly startUs: Float64Array;
  private readonly generation: Uint32Array;
  private readonly current: Float64Array;
  private readonly previous: Float64Array;

  constructor(table: AddressTable, counters: number, windowSecs: number) {
    this.table = table;
    this.windowUs = windowSecs * 1e6;
    this.counters = counters;
    this.startUs = new Float64Array(table.capacity);
    this.generation = new Uint32Array(table.capacity);
    this.current = new Float64Array(table.capacity * counters);
    this.previous = new Float64Array(table.capacity * counters);
  }

  /** Adds to a counter. @returns its sliding value. */
  add(index: number, counter: number, amount: number, nowUs: number): number {
    this.roll(index, nowUs);
    const at = index * this.counters + counter;
    this.current[at]! += amount;
    return this.slide(index, at, nowUs);
  }

  value(index: number, counter: number, nowUs: number): number {
    this.roll(index, nowUs);
    return this.slide(index, index * this.counters + counter, nowUs);
  }

  /** Sets a counter of the present window to `value` (for votes and marks). */
  set(index: number, counter: number, value: number): void {
    this.current[index * this.counters + counter] = value;
  }

  /** Amount in the present window alone. */
  present(index: number, counter: number): number {
    return this.current[index * this.counters + counter]!;
  }

  private slide(index: number, at: number, nowUs: number): number {
    const gone = Math.min(1, Math.max(0, (nowUs - this.startUs[index]!) / this.windowUs));
    return this.current[at]! + this.previous[at]! * (1 - gone);
  }

  /** Moves the windows to `nowUs`. @returns true when a new window began. */
  roll(index: number, nowUs: number): boolean {
    const own = this.generation[index] === this.table.generation[index];
    const elapsed = nowUs - this.startUs[index]!;
    if (own && elapsed < this.windowUs) return false;
    const next = own && elapsed < 2 * this.windowUs;
    this.generation[index] = this.table.generation[index]!;
    this.startUs[index] = next ? this.startUs[index]! + this.windowUs : nowUs;
    for (let i = index * this.counters; i < (index + 1) * this.counters; i++) {
      this.previous[i] = next ? this.current[i]! : 0;
      this.current[i] = 0;
    }
    return true;
  }
}
