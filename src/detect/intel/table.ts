import { finish, hashText, hashWords, maskWord, SLOT_WORDS, step, TEXT_KIND } from './fingerprint.js';

/** What the table knows of a value. */
export interface TableEntry {
  feeds: string[];
  confidence: number;
  label: string;
  /** Epoch seconds; 0 = as long as a feed lists it. */
  validUntilSecs: number;
}

/** Names of feeds and labels are kept once; entries hold their numbers. */
export interface Names {
  feeds: string[];
  /** Sets of feeds that name the same values, as indices into `feeds`. */
  feedSets: number[][];
  labels: string[];
}

const MAGIC = 0x50435449;
const FORMAT = 1;
const HEADER_WORDS = 8;
/** Bits of the filter for each entry, at least: one in twenty other values gets past it. */
const FILTER_BITS = 16;

/**
 * Read-only set of indicators for the packet path: an open-addressing hash over 64-bit fingerprints keyed with secret
 * numbers, so that no value can be chosen to collide with an indicator. A million indicators take about 45 MB whatever
 * they are; the values themselves are not kept.
 */
export class IndicatorTable {
  readonly count: number;
  readonly builtMs: number;
  private readonly slots: Int32Array;
  private readonly mask: number;
  /** A bit for the first half of every fingerprint: small enough for a processor's cache, it answers most questions. */
  private readonly filter: Uint32Array;
  private readonly filterMask: number;
  private readonly seed0: number;
  private readonly seed1: number;
  private readonly feedSet: Uint16Array;
  private readonly label: Uint16Array;
  private readonly confidence: Uint8Array;
  private readonly until: Uint32Array;
  private readonly names: Names;
  /** Prefix lengths that occur, longest first, host addresses included. */
  private readonly lengths4: number[] = [];
  private readonly lengths6: number[] = [];
  readonly hasNames: boolean;

  private constructor(parts: TableParts) {
    this.count = parts.count;
    this.builtMs = parts.builtMs;
    this.slots = parts.slots;
    this.mask = parts.slots.length / SLOT_WORDS - 1;
    this.seed0 = parts.seed0;
    this.seed1 = parts.seed1;
    this.feedSet = parts.feedSet;
    this.label = parts.label;
    this.confidence = parts.confidence;
    this.until = parts.until;
    this.names = parts.names;
    this.lengths4 = parts.lengths4;
    this.lengths6 = parts.lengths6;
    this.hasNames = parts.hasNames;
    const filterBits = 2 ** Math.ceil(Math.log2(Math.max(32, parts.count * FILTER_BITS)));
    this.filterMask = filterBits - 1;
    this.filter = filterOf(parts.slots, filterBits);
  }

  static of(parts: TableParts): IndicatorTable {
    return new IndicatorTable(parts);
  }

  /** @returns the entry of the narrowest listed network that holds the address, or -1. Four words as the decoder has them. */
  findAddress(version: number, w0: number, w1: number, w2: number, w3: number): number {
    const lengths = version === 6 ? this.lengths6 : this.lengths4;
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!;
      const found =
        version === 6
          ? this.find(
              64 + length,
              w0 & maskWord(length, 0),
              w1 & maskWord(length, 1),
              w2 & maskWord(length, 2),
              w3 & maskWord(length, 3),
            )
          : this.find(length, 0, 0, 0, w3 & maskWord(length, 0));
      if (found >= 0) return found;
    }
    return -1;
  }

  /** @returns the entry of the name or the nearest name above it (`a.b.example` is listed by `b.example`), or -1. */
  findDomain(name: string): number {
    let hash0 = this.seed0;
    let hash1 = this.seed1;
    let best = -1;
    for (let i = name.length - 1; i >= 0; i--) {
      const code = name.charCodeAt(i);
      if (code === 46) {
        const found = this.lookup(finish(hash0, TEXT_KIND.domain), finish(hash1, TEXT_KIND.domain));
        if (found >= 0) best = found;
      }
      hash0 = step(hash0, code);
      hash1 = step(hash1, code);
    }
    const exact = this.lookup(finish(hash0, TEXT_KIND.domain), finish(hash1, TEXT_KIND.domain));
    return exact >= 0 ? exact : best;
  }

  /** Of URLs and fingerprints: the whole value. */
  findText(type: 'url' | 'ja3' | 'ja4' | 'sha256', value: string): number {
    const kind = TEXT_KIND[type];
    return this.lookup(hashText(this.seed0, kind, value), hashText(this.seed1, kind, value));
  }

  /** @returns undefined when the entry is no longer valid at that time. */
  entry(index: number, nowSecs: number): TableEntry | undefined {
    const validUntilSecs = this.until[index]!;
    if (validUntilSecs !== 0 && validUntilSecs < nowSecs) return undefined;
    return {
      feeds: (this.names.feedSets[this.feedSet[index]!] ?? []).map((n) => this.names.feeds[n] ?? ''),
      confidence: this.confidence[index]! / 100,
      label: this.names.labels[this.label[index]!] ?? '',
      validUntilSecs,
    };
  }

  /** Bytes of the table in memory. */
  get bytes(): number {
    return 4 * (this.slots.length + this.filter.length) + this.count * (2 + 2 + 1 + 4);
  }

  /** One file: header, names, then the arrays; little endian. */
  serialize(): Buffer {
    const { names, lengths4, lengths6, hasNames, builtMs } = this;
    const text = Buffer.from(JSON.stringify({ names, lengths4, lengths6, hasNames, builtMs }));
    const header = new Int32Array([
      MAGIC,
      FORMAT,
      this.count,
      this.slots.length,
      this.seed0,
      this.seed1,
      text.length,
      checksum(this.slots),
    ]);
    return Buffer.concat([
      bytesOf(header),
      bytesOf(this.slots),
      bytesOf(this.until),
      bytesOf(this.feedSet),
      bytesOf(this.label),
      bytesOf(this.confidence),
      text,
    ]);
  }

  /** @throws Error when the bytes are not a whole table. */
  static parse(file: Uint8Array): IndicatorTable {
    // Sections are read in place and must be aligned.
    const isWhole = file.byteLength === file.buffer.byteLength;
    const data = (
      isWhole ? file.buffer : file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength)
    ) as ArrayBuffer;
    if (data.byteLength < 4 * HEADER_WORDS) throw new Error('it is too short');
    const [magic, format, count = 0, slotWords = 0, seed0 = 0, seed1 = 0, textBytes = 0, sum] = new Int32Array(
      data,
      0,
      HEADER_WORDS,
    );
    if (magic !== MAGIC || format !== FORMAT) throw new Error('it is not a table of indicators of this version');
    const wanted = 4 * HEADER_WORDS + 4 * slotWords + 9 * count + textBytes;
    if (count < 0 || slotWords <= 0 || textBytes < 0 || wanted !== data.byteLength)
      throw new Error('its length is wrong');
    let at = 4 * HEADER_WORDS;
    const take = (bytes: number): number => {
      const from = at;
      at += bytes;
      return from;
    };
    const slots = new Int32Array(data, take(4 * slotWords), slotWords);
    if (checksum(slots) !== sum) throw new Error('its checksum is wrong');
    const until = new Uint32Array(data, take(4 * count), count);
    const feedSet = new Uint16Array(data, take(2 * count), count);
    const label = new Uint16Array(data, take(2 * count), count);
    const confidence = new Uint8Array(data, take(count), count);
    const rest = JSON.parse(Buffer.from(data, at).toString()) as Pick<
      TableParts,
      'names' | 'lengths4' | 'lengths6' | 'hasNames' | 'builtMs'
    >;
    return new IndicatorTable({ ...rest, count, seed0, seed1, slots, until, feedSet, label, confidence });
  }

  private find(kind: number, w0: number, w1: number, w2: number, w3: number): number {
    const f0 = hashWords(this.seed0, kind, w0, w1, w2, w3);
    if (!this.mayHold(f0)) return -1;
    return this.lookup(f0, hashWords(this.seed1, kind, w0, w1, w2, w3));
  }

  private mayHold(f0: number): boolean {
    const bit = (f0 >>> 3) & this.filterMask;
    return ((this.filter[bit >>> 5]! >>> (bit & 31)) & 1) !== 0;
  }

  private lookup(f0: number, f1: number): number {
    if (!this.mayHold(f0)) return -1;
    const { slots, mask } = this;
    for (let at = f0 & mask; ; at = (at + 1) & mask) {
      const entry = slots[SLOT_WORDS * at + 2]! - 1;
      if (entry < 0) return -1;
      if (slots[SLOT_WORDS * at] === f0 && slots[SLOT_WORDS * at + 1] === f1) return entry;
    }
  }
}

export interface TableParts {
  count: number;
  builtMs: number;
  seed0: number;
  seed1: number;
  slots: Int32Array;
  feedSet: Uint16Array;
  label: Uint16Array;
  confidence: Uint8Array;
  until: Uint32Array;
  names: Names;
  lengths4: number[];
  lengths6: number[];
  hasNames: boolean;
}

function filterOf(slots: Int32Array, bits: number): Uint32Array {
  const filter = new Uint32Array(bits / 32);
  for (let at = 0; at < slots.length; at += SLOT_WORDS) {
    if (slots[at + 2] === 0) continue;
    const bit = (slots[at]! >>> 3) & (bits - 1);
    filter[bit >>> 5]! |= 1 << (bit & 31);
  }
  return filter;
}

function checksum(words: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < words.length; i++) sum = step(sum, words[i]!);
  return sum;
}

function bytesOf(array: Int32Array | Uint32Array | Uint16Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
