import type { AddressTable } from './address-table.js';

/** Words of a record: whose it is, and how many. */
const WORDS = 2;

/** Productive connections of each source since it was first seen; windows remember the count that they began with. */
export class ProductiveCount {
  private readonly table: AddressTable;
  private readonly records: Uint32Array;

  constructor(table: AddressTable) {
    this.table = table;
    this.records = new Uint32Array(table.capacity * WORDS);
  }

  add(index: number): void {
    const at = index * WORDS;
    const generation = this.table.generation(index);
    if (this.records[at] !== generation) {
      this.records[at] = generation;
      this.records[at + 1] = 0;
    }
    this.records[at + 1]! += 1;
  }

  of(index: number): number {
    const at = index * WORDS;
    return this.records[at] === this.table.generation(index) ? this.records[at + 1]! : 0;
  }
}
