const WAYS = 8;

/**
 * Set-associative table of keys made of 32-bit words: a key lives in one of eight places, and when all are taken the
 * one longest unseen is evicted. Bounded, no deletion, no allocation after construction. Fill `key`, then `find` or
 * `acquire`; the returned index addresses the owner's own columns.
 */
export class KeyTable {
  /** The key looked up next; fill all words. */
  readonly key: Uint32Array;
  readonly capacity: number;
  /** True when the last `acquire` made a new entry: its owner must clear its columns. */
  inserted = false;
  evictions = 0;
  private readonly words: number;
  private readonly keys: Uint32Array;
  private readonly tags: Uint32Array;
  private readonly lastUs: Float64Array;
  private readonly setMask: number;

  /** @param capacity entries, rounded up to a power of two. @param words 32-bit words a key. */
  constructor(capacity: number, words: number) {
    this.capacity = Math.max(WAYS, 2 ** Math.ceil(Math.log2(capacity)));
    this.words = words;
    this.key = new Uint32Array(words);
    this.keys = new Uint32Array(this.capacity * words);
    this.tags = new Uint32Array(this.capacity);
    this.lastUs = new Float64Array(this.capacity).fill(-Infinity);
    this.setMask = this.capacity / WAYS - 1;
  }

  /** Index of `key`, or -1. */
  find(): number {
    const tag = this.hash();
    const base = (tag & this.setMask) * WAYS;
    for (let i = base; i < base + WAYS; i++) if (this.tags[i] === tag && this.matches(i)) return i;
    return -1;
  }

  /** Index of `key`, made if needed; marks it seen at `nowUs`. */
  acquire(nowUs: number): number {
    const tag = this.hash();
    const base = (tag & this.setMask) * WAYS;
    let oldest = base;
    for (let i = base; i < base + WAYS; i++) {
      if (this.tags[i] === tag && this.matches(i)) {
        this.lastUs[i] = nowUs;
        this.inserted = false;
        return i;
      }
      if (this.lastUs[i]! < this.lastUs[oldest]!) oldest = i;
    }
    if (this.tags[oldest] !== 0) this.evictions++;
    this.tags[oldest] = tag;
    this.lastUs[oldest] = nowUs;
    for (let w = 0; w < this.words; w++) this.keys[oldest * this.words + w] = this.key[w]!;
    this.inserted = true;
    return oldest;
  }

  private matches(index: number): boolean {
    const at = index * this.words;
    for (let w = 0; w < this.words; w++) if (this.keys[at + w] !== this.key[w]) return false;
    return true;
  }

  /** Never 0: 0 marks an empty place. */
  private hash(): number {
    let h = 0x9e3779b9;
    for (let w = 0; w < this.words; w++) h = mix32(h ^ this.key[w]!);
    return h === 0 ? 1 : h;
  }
}

/** Finaliser of MurmurHash3 (Appleby, public domain): every input bit reaches every output bit. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
