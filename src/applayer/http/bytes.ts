import type { Rooms } from './rooms.js';

export const NOTHING = new Uint8Array(0);
export const CR = 13;
export const LF = 10;

/** What `toString('latin1')` of a Buffer calls, for any bytes: half the work of wrapping them in a Buffer first. */
const { latin1Slice } = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, begin: number, end: number): string;
};

export const latin1 = (d: Uint8Array): string => latin1Slice.call(d, 0, d.length);
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A copy that the owner of the bytes cannot change; `slice` of a Buffer is none. */
export const copy = (d: Uint8Array): Uint8Array => new Uint8Array(d);

/** The bytes `[offset, offset + length)`: no new view when these are all. */
export function part(d: Uint8Array, offset: number, length: number): Uint8Array {
  return offset === 0 && length === d.length ? d : d.subarray(offset, offset + length);
}

/** Space as C's `isspace` has it. */
export function isSpace(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13);
}

export function isLws(c: number): boolean {
  return c === 32 || c === 9;
}

/** Length without line ends at the end. */
export function chomp(d: Uint8Array): Uint8Array {
  let end = d.length;
  while (end > 0 && (d[end - 1] === LF || d[end - 1] === CR)) end--;
  return end === d.length ? d : d.subarray(0, end);
}

/** @param from where to begin; what is before it is cut off too. */
export function trim(d: Uint8Array, from = 0): Uint8Array {
  let to = d.length;
  while (from < to && isLws(d[from]!)) from++;
  while (to > from && isLws(d[to - 1]!)) to--;
  return from === 0 && to === d.length ? d : d.subarray(from, to);
}

export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}

/** Least room of what grows. */
const SMALLEST = 1024;
const BLOCK_BYTES = 1024;

/**
 * Copies of short pieces, side by side in blocks of 1 KiB: a header line is shorter than the bookkeeping of an allocation of its
 * own. A block lives as long as one of its pieces.
 */
export class Pieces {
  private block: Uint8Array = NOTHING;
  private used = 0;

  copy(d: Uint8Array): Uint8Array {
    if (d.length > BLOCK_BYTES / 2) return copy(d);
    if (this.used + d.length > this.block.length) {
      this.block = new Uint8Array(BLOCK_BYTES);
      this.used = 0;
    }
    this.block.set(d, this.used);
    return this.block.subarray(this.used, (this.used += d.length));
  }
}

/** Bytes that grow up to a maximum. */
export class Collected {
  length = 0;
  private buffer: Uint8Array = NOTHING;
  private readonly max: number;
  private readonly rooms: Rooms | undefined;
  private view: Uint8Array = NOTHING;

  /** @param rooms where the memory is from, until `close`. */
  constructor(max: number, rooms?: Rooms) {
    this.max = max;
    this.rooms = rooms;
  }

  get bytes(): Uint8Array {
    if (this.view.length !== this.length) this.view = this.buffer.subarray(0, this.length);
    return this.view;
  }

  get isFull(): boolean {
    return this.length >= this.max;
  }

  /** Makes room for this many bytes at once. */
  reserve(bytes: number): void {
    const size = Math.min(this.max, bytes);
    if (this.length === 0 && this.buffer.length < size) this.grow(size);
  }

  add(data: Uint8Array): void {
    const n = Math.min(data.length, this.max - this.length);
    if (n <= 0) return;
    const need = this.length + n;
    if (need > this.buffer.length) this.grow(Math.min(this.max, Math.max(need, 2 * this.buffer.length, SMALLEST)));
    this.buffer.set(n === data.length ? data : data.subarray(0, n), this.length);
    this.length = need;
  }

  /** Forgets the bytes; nobody may look at what `bytes` has shown any more. */
  close(): void {
    if (this.buffer.length > 0) this.rooms?.give(this.buffer);
    this.buffer = this.view = NOTHING;
    this.length = 0;
  }

  private grow(size: number): void {
    const larger = this.rooms === undefined ? new Uint8Array(size) : this.rooms.take(size);
    if (this.length > 0) larger.set(this.bytes);
    if (this.buffer.length > 0) this.rooms?.give(this.buffer);
    this.buffer = larger;
    this.view = NOTHING;
  }
}
