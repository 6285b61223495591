import { mix32 } from './key-table.js';

const WORDS = 5;

/**
 * Reference-counted hash table for connection windows: an entry lives while its count is above zero. Keys are four
 * address words and a discriminator. Chained buckets over typed arrays; an entry keeps its index until it is released.
 */
export class CountTable {
  /** The key looked up next. */
  readonly key = new Uint32Array(WORDS);
  readonly count: Int32Array;
  readonly synErrors: Int32Array;
  readonly rejectErrors: Int32Array;
  /** Distinct partners (services of a host, hosts of a service), kept by the owner. */
  readonly distinct: Int32Array;
  private readonly keys: Uint32Array;
  private readonly bucketOf: Int32Array;
  private readonly next: Int32Array;
  private readonly heads: Int32Array;
  private free = 0;

  /** @param capacity most live entries; the owner never holds more. */
  constructor(capacity: number) {
    this.count = new Int32Array(capacity);
    this.synErrors = new Int32Array(capacity);
    this.rejectErrors = new Int32Array(capacity);
    this.distinct = new Int32Array(capacity);
    this.keys = new Uint32Array(capacity * WORDS);
    this.bucketOf = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    for (let i = 0; i < capacity; i++) this.next[i] = i + 1 < capacity ? i + 1 : -1;
    this.heads = new Int32Array(2 ** Math.ceil(Math.log2(capacity * 2))).fill(-1);
  }

  find(): number {
    return this.findIn(this.bucket());
  }

  private findIn(bucket: number): number {
    for (let i = this.heads[bucket]!; i >= 0; i = this.next[i]!) if (this.matches(i)) return i;
    return -1;
  }

  /** Finds or makes the entry of `key` and counts one more reference. */
  retain(): number {
    const bucket = this.bucket();
    const found = this.findIn(bucket);
    if (found >= 0) {
      this.count[found]! += 1;
      return found;
    }
    const index = this.free;
    if (index < 0) throw new RangeError('more entries than the window can hold');
    this.free = this.next[index]!;
    this.next[index] = this.heads[bucket]!;
    this.heads[bucket] = index;
    this.bucketOf[index] = bucket;
    for (let w = 0; w < WORDS; w++) this.keys[index * WORDS + w] = this.key[w]!;
    this.count[index] = 1;
    this.synErrors[index] = 0;
    this.rejectErrors[index] = 0;
    this.distinct[index] = 0;
    return index;
  }

  /** Drops one reference. @returns true when it was the last and the entry is gone. */
  release(index: number): boolean {
    this.count[index]! -= 1;
    if (this.count[index]! > 0) return false;
    const bucket = this.bucketOf[index]!;
    if (this.heads[bucket] === index) this.heads[bucket] = this.next[index]!;
    else {
      let i = this.heads[bucket]!;
      while (this.next[i] !== index) i = this.next[i]!;
      this.next[i] = this.next[index]!;
    }
    this.next[index] = this.free;
    this.free = index;
    return true;
  }

  private matches(index: number): boolean {
    const at = index * WORDS;
    for (let w = 0; w < WORDS; w++) if (this.keys[at + w] !== this.key[w]) return false;
    return true;
  }

  private bucket(): number {
    let h = 0;
    for (let w = 0; w < WORDS; w++) h = mix32(h ^ this.key[w]!);
    return h & (this.heads.length - 1);
  }
}
