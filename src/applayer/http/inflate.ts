import { copy } from './bytes.js';

const WINDOW = 32_768;
const MAX_BITS = 15;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];
const DISTANCE_EXTRA = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const CODE_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Canonical Huffman code (RFC 1951 3.2.2): symbols in order of their code, and how many there are of each length. */
interface Huffman {
  counts: Uint16Array;
  symbols: Uint16Array;
}

/** @returns undefined when the lengths are no prefix code. */
function huffman(lengths: Uint8Array, begin: number, end: number, mayBeIncomplete: boolean): Huffman | undefined {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (let i = begin; i < end; i++) counts[lengths[i]!]!++;
  const used = end - begin - counts[0]!;
  let left = 1;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    left = left * 2 - counts[bits]!;
    if (left < 0) return undefined;
  }
  if (left > 0 && !(mayBeIncomplete && used <= 1 && (used === 0 || counts[1] === 1))) return undefined;
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) offsets[bits + 1] = offsets[bits]! + counts[bits]!;
  const symbols = new Uint16Array(used);
  for (let i = begin; i < end; i++) if (lengths[i] !== 0) symbols[offsets[lengths[i]!]!++] = i - begin;
  counts[0] = 0;
  return { counts, symbols };
}

function fixedLengths(): Uint8Array {
  const lengths = new Uint8Array(288 + 30).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280, 288);
  return lengths.fill(5, 288);
}
const FIXED = fixedLengths();
const FIXED_LITERALS = huffman(FIXED, 0, 288, true)!;
const FIXED_DISTANCES: Huffman = {
  counts: Uint16Array.from({ length: MAX_BITS + 1 }, (_, i) => (i === 5 ? 30 : 0)),
  symbols: Uint16Array.from({ length: 30 }, (_, i) => i),
};

export type InflateStatus = 'more' | 'end' | 'error';

const NEED_MORE = -1;
const BAD = -2;

/**
 * Raw DEFLATE (RFC 1951) fed in pieces, giving what it has decoded up to an error: what comes before broken data is
 * what browsers show, so it has to be looked at.
 */
export class Inflate {
  private input: Uint8Array = new Uint8Array(0);
  private at = 0;
  private bits = 0;
  private bitCount = 0;
  private isLast = false;
  private mode: 'block' | 'stored' | 'codes' | 'end' | 'error' = 'block';
  private storedLeft = 0;
  private literals: Huffman = FIXED_LITERALS;
  private distances: Huffman = FIXED_DISTANCES;
  private readonly history = new Uint8Array(WINDOW);
  private written = 0;
  private readonly emit: (byte: number) => void;

  /** @param emit gets each decoded byte. */
  constructor(emit: (byte: number) => void) {
    this.emit = emit;
  }

  /** Bytes after the end of the compressed data, once `push` has returned `end`. */
  rest(): Uint8Array {
    const whole = this.bitCount >> 3;
    return this.input.subarray(this.at - whole);
  }

  /** @param isRoom asked before each symbol; stops decoding when false, as if broken. */
  push(data: Uint8Array, isRoom: () => boolean): InflateStatus {
    const left = this.input.length - this.at;
    if (left === 0) this.input = copy(data);
    else {
      const joined = new Uint8Array(left + data.length);
      joined.set(this.input.subarray(this.at));
      joined.set(data, left);
      this.input = joined;
    }
    this.at = 0;
    for (;;) {
      if (this.mode === 'end') return 'end';
      if (this.mode === 'error' || !isRoom()) return 'error';
      const { at, bits, bitCount } = this;
      const result = this.mode === 'block' ? this.block() : this.mode === 'stored' ? this.stored() : this.code();
      if (result === BAD) {
        this.mode = 'error';
        return 'error';
      }
      if (result === NEED_MORE) {
        this.at = at;
        this.bits = bits;
        this.bitCount = bitCount;
        return 'more';
      }
    }
  }

  private need(n: number): boolean {
    while (this.bitCount < n) {
      if (this.at >= this.input.length) return false;
      this.bits |= this.input[this.at++]! << this.bitCount;
      this.bitCount += 8;
    }
    return true;
  }

  /** `n` bits, or NEED_MORE; at most 16 at once. */
  private take(n: number): number {
    if (!this.need(n)) return NEED_MORE;
    const value = this.bits & ((1 << n) - 1);
    this.bits >>>= n;
    this.bitCount -= n;
    return value;
  }

  private symbol(h: Huffman): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_BITS; length++) {
      const bit = this.take(1);
      if (bit < 0) return NEED_MORE;
      code |= bit;
      const count = h.counts[length]!;
      if (code - count < first) return h.symbols[index + code - first]!;
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return BAD;
  }

  private put(byte: number): void {
    this.history[this.written++ & (WINDOW - 1)] = byte;
    this.emit(byte);
  }

  private block(): number {
    if (this.isLast) {
      this.mode = 'end';
      return 0;
    }
    const head = this.take(3);
    if (head < 0) return NEED_MORE;
    let result = 0;
    if (head >> 1 === 0) result = this.beginStored();
    else if (head >> 1 === 1) {
      this.literals = FIXED_LITERALS;
      this.distances = FIXED_DISTANCES;
      this.mode = 'codes';
    } else if (head >> 1 === 2) result = this.dynamic();
    else return BAD;
    if (result === 0) this.isLast = (head & 1) === 1;
    return result;
  }

  private beginStored(): number {
    this.take(this.bitCount & 7);
    const length = this.take(16);
    if (length < 0) return NEED_MORE;
    const check = this.take(16);
    if (check < 0) return NEED_MORE;
    if (length !== (~check & 0xffff)) return BAD;
    this.storedLeft = length;
    this.mode = 'stored';
    return 0;
  }

  private stored(): number {
    if (this.storedLeft === 0) {
      this.mode = 'block';
      return 0;
    }
    const byte = this.take(8);
    if (byte < 0) return NEED_MORE;
    this.storedLeft--;
    this.put(byte);
    return 0;
  }

  private dynamic(): number {
    const literalCount = this.take(5) + 257;
    const distanceCount = this.take(5) + 1;
    const codeCount = this.take(4);
    if (codeCount < 0) return NEED_MORE;
    if (literalCount > 286 || distanceCount > 30) return BAD;
    const lengths = new Uint8Array(320);
    for (let i = 0; i < codeCount + 4; i++) {
      const length = this.take(3);
      if (length < 0) return NEED_MORE;
      lengths[CODE_ORDER[i]!] = length;
    }
    const codes = huffman(lengths, 0, 19, false);
    if (codes === undefined) return BAD;
    lengths.fill(0);
    const total = literalCount + distanceCount;
    for (let i = 0; i < total;) {
      const symbol = this.symbol(codes);
      if (symbol < 0) return symbol;
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) return BAD;
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const extra = this.take(symbol === 16 ? 2 : symbol === 17 ? 3 : 7);
      if (extra < 0) return NEED_MORE;
      const repeat = extra + (symbol === 18 ? 11 : 3);
      if (i + repeat > total) return BAD;
      lengths.fill(value, i, i + repeat);
      i += repeat;
    }
    if (lengths[256] === 0) return BAD;
    const literals = huffman(lengths, 0, literalCount, true);
    const distances = huffman(lengths, literalCount, total, true);
    if (literals === undefined || distances === undefined) return BAD;
    this.literals = literals;
    this.distances = distances;
    this.mode = 'codes';
    return 0;
  }

  private code(): number {
    const symbol = this.symbol(this.literals);
    if (symbol < 0) return symbol;
    if (symbol < 256) {
      this.put(symbol);
      return 0;
    }
    if (symbol === 256) {
      this.mode = 'block';
      return 0;
    }
    if (symbol > 285) return BAD;
    const lengthBits = this.take(LENGTH_EXTRA[symbol - 257]!);
    if (lengthBits < 0) return NEED_MORE;
    const distanceSymbol = this.symbol(this.distances);
    if (distanceSymbol < 0) return distanceSymbol;
    if (distanceSymbol > 29) return BAD;
    const distanceBits = this.take(DISTANCE_EXTRA[distanceSymbol]!);
    if (distanceBits < 0) return NEED_MORE;
    const distance = DISTANCE_BASE[distanceSymbol]! + distanceBits;
    if (distance > this.written || distance > WINDOW) return BAD;
    for (let left = LENGTH_BASE[symbol - 257]! + lengthBits; left > 0; left--) {
      this.put(this.history[(this.written - distance) & (WINDOW - 1)]!);
    }
    return 0;
  }
}
