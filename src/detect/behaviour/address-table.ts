import { alignedInts } from './cache-lines.js';

/** Places of a set. */
export const WAYS = 8;
/** Tags of a set and then the worths of its places: sixteen words, one cache line. */
const SET_WORDS = 2 * WAYS;
/** Worths count half seconds. */
export const TICKS_A_US = 2e-6;
/** A record: the address, its generation, its weight and its place; half a cache line. */
const RECORD_WORDS = 8;
const GENERATION = 4;
const WEIGHT = 5;
/** Where the entry's tag stands among the sets. */
const PLACE = 6;
/** Each step of weight keeps an entry this much longer than its last sight says: a minute. */
const WEIGHT_TICKS = 120;

/**
 * Bounded table of addresses (four words each): an address lives in one of eight places. When all are taken, the entry
 * with the least weight and longest unseen goes, so that a flood of one-packet sources does not push out a source that
 * is building up a case. Entries are numbered in the order in which their places were first taken, so that what detectors
 * keep of a few entries lies together however large the table may become. The generation changes when an entry gets
 * another address: owners of columns compare it.
 */
export class AddressTable {
  readonly capacity: number;
  /** True when the last `acquire` made a new entry. */
  inserted = false;
  evictions = 0;
  private readonly records: Int32Array;
  /** By set: the tags of its entries, 0 when free, then how long each is to be kept. */
  private readonly sets: Uint32Array;
  /** The same memory, for tags. */
  private readonly tags: Int32Array;
  /** Number + 1 of each place's entry; 0 when it never had one. */
  private readonly rows: Uint32Array;
  private used = 0;
  private issued = 0;
  private readonly setMask: number;

  /** @param capacity entries, rounded up to a power of two. */
  constructor(capacity: number) {
    this.capacity = Math.max(WAYS, 2 ** Math.ceil(Math.log2(capacity)));
    this.records = alignedInts(this.capacity * RECORD_WORDS);
    this.tags = alignedInts(this.capacity * 2);
    this.sets = new Uint32Array(this.tags.buffer, this.tags.byteOffset, this.tags.length);
    this.rows = new Uint32Array(this.capacity);
    this.setMask = this.capacity / WAYS - 1;
  }

  /** Word `w` (0..3) of the entry's address. */
  word(index: number, w: number): number {
    return this.records[index * RECORD_WORDS + w]! >>> 0;
  }

  /** A number of its own for each time that the entry was given to an address, in 31 bits; 0 when it never was. */
  generation(index: number): number {
    return this.records[index * RECORD_WORDS + GENERATION]!;
  }

  find(w0: number, w1: number, w2: number, w3: number): number {
    return this.findTagged(hashWords(w0, w1, w2, w3), w0, w1, w2, w3);
  }

  findTagged(tag: number, w0: number, w1: number, w2: number, w3: number): number {
    const set = tag & this.setMask;
    const at = set * SET_WORDS;
    for (let way = 0; way < WAYS; way++) {
      if (this.tags[at + way] !== tag) continue;
      const index = this.rows[set * WAYS + way]! - 1;
      if (this.matches(index, w0, w1, w2, w3)) return index;
    }
    return -1;
  }

  acquire(w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    return this.acquireTagged(hashWords(w0, w1, w2, w3), w0, w1, w2, w3, nowUs);
  }

  /** The same for the address in a slot of a column of addresses. */
  acquireAt(words: Uint32Array, slot: number, nowUs: number): number {
    const a = 4 * slot;
    return this.acquire(words[a]! | 0, words[a + 1]! | 0, words[a + 2]! | 0, words[a + 3]! | 0, nowUs);
  }

  /** The same in a table whose owner has a hash of the words already, which is not 0, and uses it always. */
  acquireTagged(tag: number, w0: number, w1: number, w2: number, w3: number, nowUs: number): number {
    const { sets, tags } = this;
    const set = tag & this.setMask;
    const at = set * SET_WORDS;
    for (let way = 0; way < WAYS; way++) {
      if (tags[at + way] !== tag) continue;
      const index = this.rows[set * WAYS + way]! - 1;
      if (!this.matches(index, w0, w1, w2, w3)) continue;
      sets[at + WAYS + way] = nowUs * TICKS_A_US + this.records[index * RECORD_WORDS + WEIGHT]! * WEIGHT_TICKS;
      this.inserted = false;
      return index;
    }
    const way = leastWorthy(sets, at);
    if (tags[at + way] !== 0) this.evictions++;
    const place = set * WAYS + way;
    if (this.rows[place] === 0) this.rows[place] = ++this.used;
    const index = this.rows[place]! - 1;
    tags[at + way] = tag;
    sets[at + WAYS + way] = nowUs * TICKS_A_US;
    const { records } = this;
    const r = index * RECORD_WORDS;
    records[r] = w0;
    records[r + 1] = w1;
    records[r + 2] = w2;
    records[r + 3] = w3;
    records[r + GENERATION] = this.issue();
    records[r + WEIGHT] = 0;
    records[r + PLACE] = place;
    this.inserted = true;
    return index;
  }

  /**
   * Reads what a look-up of the tag will need first, and nothing more: of many look-ups that are known in advance, the
   * processor then fetches the memory at the same time. @returns what was read, to be used somehow.
   */
  readAhead(tag: number): number {
    const set = tag & this.setMask;
    const at = set * SET_WORDS;
    return this.sets[at]! ^ this.sets[at + WAYS]! ^ this.rows[set * WAYS]!;
  }

  /** The next generation. One count for all entries: a new one is written without a look at what was there. */
  private issue(): number {
    this.issued = this.issued === 0x7fffffff ? 1 : this.issued + 1;
    return this.issued;
  }

  /** Says that an entry is worth keeping: `weight` is 1 to 255, and never sinks. */
  raise(index: number, weight: number): void {
    const more = weight - this.records[index * RECORD_WORDS + WEIGHT]!;
    if (more <= 0) return;
    this.records[index * RECORD_WORDS + WEIGHT] = weight;
    this.sets[worthAt(this.records[index * RECORD_WORDS + PLACE]!)]! += more * WEIGHT_TICKS;
  }

  /** Says that an entry was seen. */
  touch(index: number, nowUs: number): void {
    this.sets[worthAt(this.records[index * RECORD_WORDS + PLACE]!)] =
      nowUs * TICKS_A_US + this.records[index * RECORD_WORDS + WEIGHT]! * WEIGHT_TICKS;
  }

  private matches(i: number, w0: number, w1: number, w2: number, w3: number): boolean {
    const at = i * RECORD_WORDS;
    const { records } = this;
    return (
      records[at + 3] === (w3 | 0) &&
      records[at] === (w0 | 0) &&
      records[at + 1] === (w1 | 0) &&
      records[at + 2] === (w2 | 0)
    );
  }
}

/** The free or least worthy place of a set of tags and worths at `at`. */
export function leastWorthy(sets: Uint32Array, at: number): number {
  let victim = 0;
  let lowest = 0xffffffff;
  for (let way = 0; way < WAYS; way++) {
    if (sets[at + way] === 0) return way;
    if (sets[at + WAYS + way]! >= lowest) continue;
    lowest = sets[at + WAYS + way]!;
    victim = way;
  }
  return victim;
}

/** Index into the sets of how long the entry of a place is to be kept. */
function worthAt(place: number): number {
  const way = place & (WAYS - 1);
  return (place - way) * 2 + WAYS + way;
}

/**
 * Finaliser of MurmurHash3 (Appleby, public domain). Hashes are signed: such numbers need no memory of their own when they are
 * handed from function to function.
 */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Hash of an address; never 0. */
export function hashWords(w0: number, w1: number, w2: number, w3: number): number {
  const high = (w0 | w1 | w2) === 0 ? 0 : mix32(w0 ^ mix32(w1 ^ mix32(w2)));
  const h = mix32(w3 ^ high ^ 0x9e3779b9);
  return h === 0 ? 1 : h;
}
