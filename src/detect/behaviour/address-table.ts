const WAYS = 8;
/** Each step of weight keeps an entry this much longer than its last sight says. */
const WEIGHT_US = 60e6;

/**
 * Bounded table of addresses (four words each): an address lives in one of eight places. When all are taken, the entry
 * with the least weight and longest unseen goes, so that a flood of one-packet sources does not push out a source that
 * is building up a case. `generation` changes when a place gets another address: owners of columns compare it.
 */
export class AddressTable {
  readonly capacity: number;
  readonly generation: Uint32Array;
  readonly lastUs: Float64Array;
  /** 0 for nothing noted, up to 255; owners raise it. */
  readonly weight: Uint8Array;
  /** True when the last `acquire` made a new entry. */
  inserted = false;
  evictions = 0;
  private readonly words: Uint32Array;
  private readonly tags: Uint32Array;
  private readonly setMask: number;

  /** @param capacity entries, rounded up to a power of two. */
  constructor(capacity: number) {
    this.capacity = Math.max(WAYS, 2 ** Math.ceil(Math.log2(capacity)));
    this.words = new Uint32Array(this.capacity * 4);
    this.tags = new Uint32Array(this.capacity);
    this.lastUs = new Float64Array(this.capacity);
    this.weight = new Uint8Array(this.capacity);
    this.generation = new Uint32Array(this.capacity);
    this.setMask = this.capacity / WAYS - 1;
  }

  /** Word `w` (0..3) of the entry's address. */
  word(index: number, w: number): number {
    return this.words[index * 4 + w]!;
  }

  find(w0: number, w1: number, w2: number, w3: number): number {
    const tag = hashWords(w0, w1, w2, w3);
    const base = (tag & this.setMask) * WAYS;
    for (let i = base; i < base + WAYS; i++) if (this.tags[i] === tag && this.matches(i, w0, w1, w2, w3)) return i;
    return -1;
  }

  acquire(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    const tag = hashWords(w0, w1, w2, w3);
    const base = (tag & this.setMask) * WAYS;
    let victim = base;
    let lowest = Infinity;
    for (let i = base; i < base + WAYS; i++) {
      if (this.tags[i] === tag && this.matches(i, w0, w1, w2, w3)) {
        this.lastUs[i] = nowUs;
        this.inserted = false;
        return i;
      }
      const worth = this.tags[i] === 0 ? -1 : this.lastUs[i]! + this.weight[i]! * WEIGHT_US;
      if (worth < lowest) {
        lowest = worth;
        victim = i;
      }
    }
    if (this.tags[victim] !== 0) this.evictions++;
    this.tags[victim] = tag;
    this.lastUs[victim] = nowUs;
    this.weight[victim] = 0;
    this.generation[victim]! += 1;
    this.words[victim * 4] = w0;
    this.words[victim * 4 + 1] = w1;
    this.words[victim * 4 + 2] = w2;
    this.words[victim * 4 + 3] = w3;
    this.inserted = true;
    return victim;
  }

  private matches(i: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const at = i * 4;
    const { words } = this;
    return words[at + 3] === w3 && words[at] === w0 && words[at + 1] === w1 && words[at + 2] === w2;
  }
}

/** Finaliser of MurmurHash3 (Appleby, public domain). */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Hash of an address; never 0. */
export function hashWords(w0: number, w1: number, w2: number, w3: number): number {
  const high = (w0 | w1 | w2) === 0 ? 0 : mix32(w0 ^ mix32(w1 ^ mix32(w2)));
  const h = mix32(w3 ^ high ^ 0x9e3779b9);
  return h === 0 ? 1 : h;
}
