import type { AddressTable } from './address-table.js';

/** Productive connections of each source since it was first seen; windows remember the count that they began with. */
export class ProductiveCount {
  private readonly table: AddressTable;
  private readonly total: Uint32Array;
  private readonly generation: Uint32Array;

  constructor(table: AddressTable) {
    this.table = table;
    this.total = new Uint32Array(table.capacity);
    this.generation = new Uint32Array(table.capacity);
  }

  add(index: number): void {
    if (this.generation[index] !== this.table.generation[index]) {
      this.generation[index] = this.table.generation[index]!;
      this.total[index] = 0;
    }
    this.total[index]! += 1;
  }

  of(index: number): number {
    return this.generation[index] === this.table.generation[index] ? this.total[index]! : 0;
  }
}
