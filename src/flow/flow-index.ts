/**
 * Hash index from key hash to slot: open addressing with linear probing over pairs (hash, slot + 1) in one array, so a
 * probe touches one cache line and compares keys only where all 32 bits of the hash agree. At most half full.
 */
export class FlowIndex {
  readonly mask: number;
  readonly entries: Int32Array;

  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(capacity * 2));
    this.mask = size - 1;
    this.entries = new Int32Array(size * 2);
  }

  insert(hash: number, slot: number): void {
    const { entries, mask } = this;
    let at = hash & mask;
    while (entries[2 * at + 1] !== 0) at = (at + 1) & mask;
    entries[2 * at] = hash;
    entries[2 * at + 1] = slot + 1;
  }

  /** Removes by shifting later entries of the run back (Knuth 6.4, algorithm R): no tombstones, no decay. */
  remove(hash: number, slot: number): void {
    const { entries, mask } = this;
    let hole = hash & mask;
    while (entries[2 * hole + 1] !== slot + 1) {
      if (entries[2 * hole + 1] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let at = (hole + 1) & mask; entries[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = entries[2 * at]! & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      entries[2 * hole] = entries[2 * at]!;
      entries[2 * hole + 1] = entries[2 * at + 1]!;
      hole = at;
    }
    entries[2 * hole] = 0;
    entries[2 * hole + 1] = 0;
  }
}
