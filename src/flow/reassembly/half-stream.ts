import type { StreamMemory } from './memory.js';
import type { StreamPolicy } from './options.js';
import { newWins } from './policy.js';

const NOTHING = new Uint8Array(0);

/** Out-of-order bytes `[begin, end)`, part of the segment `[segmentBegin, segmentEnd)`. */
interface Piece {
  begin: number;
  end: number;
  segmentBegin: number;
  segmentEnd: number;
  data: Uint8Array;
}

/** What became of a segment. */
export const KEPT = 0;
export const OVERLAPS = 1;
export const DIFFERS = 2;
export const SHED = 4;

/**
 * One direction of a connection. Positions count bytes from the first one of the direction and never wrap. Bytes that
 * were not handed on yet are in `window` when they follow the last ones without a hole, else in `pieces`.
 */
export class HalfStream {
  /** A sequence number is known, and with it where positions begin. */
  isKnown = false;
  /** Sequence number of the byte at `position`, as a signed number of 32 bits: a small integer to V8 all the time. */
  next = 0;
  /** Bytes handed on or skipped. */
  position = 0;
  /** Up to where the receiver has acknowledged. */
  acked = 0;
  /** Up to where the receiver allows the sender to go. */
  limit = 0;
  /** End of the data seen. */
  highest = 0;
  /** Position of the FIN, or -1. */
  finAt = -1;
  isEnded = false;
  /** Shift that this side asked its peer to apply to the windows it advertises (RFC 7323), or -1. */
  windowScale = -1;
  /** Timestamp option of the last segment in order, or -1. */
  timestamp = -1;
  private window: Uint8Array = NOTHING;
  private windowStart = 0;
  private windowLength = 0;
  /** Begin and end of the segments the window is made of, in turn. */
  private readonly segments: number[] = [];
  private readonly pieces: Piece[] = [];

  /** The byte after the last one that follows without a hole. */
  get contiguousEnd(): number {
    return this.position + this.windowLength;
  }

  get isEmpty(): boolean {
    return this.windowLength === 0 && this.pieces.length === 0;
  }

  /** Begins at this sequence number. */
  start(sequence: number): void {
    this.isKnown = true;
    this.next = sequence | 0;
  }

  positionOf(sequence: number): number {
    return this.position + ((sequence - this.next) | 0);
  }

  /** Keeps bytes until they are acknowledged. @returns a combination of KEPT, OVERLAPS, DIFFERS and SHED. */
  insert(data: Uint8Array, offset: number, length: number, begin: number, memory: StreamMemory, policy: StreamPolicy) {
    const end = begin + length;
    let from = begin;
    let outcome = KEPT;
    if (from < this.position) from = this.position;
    if (from < this.contiguousEnd && end > this.position)
      outcome |= this.overlapWindow(data, offset, begin, end, policy);
    if (from < this.contiguousEnd) from = this.contiguousEnd;
    if (from >= end) return outcome;
    if (this.pieces.length === 0 && from === this.contiguousEnd) {
      return outcome | this.append(data, offset + from - begin, end - from, begin, end, memory);
    }
    outcome |= this.insertPieces(data, offset - begin, from, begin, end, memory, policy);
    return outcome | this.absorb(memory);
  }

  private overlapWindow(data: Uint8Array, offset: number, begin: number, end: number, policy: StreamPolicy): number {
    const { segments, window } = this;
    const base = this.windowStart - this.position;
    let outcome = KEPT;
    let at = this.position;
    for (let i = 0; i < segments.length; i += 2) {
      const a = Math.max(at, segments[i]!, begin);
      const b = Math.min(segments[i + 1]!, end, this.contiguousEnd);
      at = Math.max(at, b);
      if (a >= b) continue;
      outcome |= OVERLAPS;
      const wins = newWins(policy, begin, end, segments[i]!, segments[i + 1]!);
      for (let p = a; p < b; p++) {
        const byte = data[offset + p - begin]!;
        if (window[base + p] === byte) continue;
        outcome |= DIFFERS;
        if (wins) window[base + p] = byte;
      }
    }
    return outcome;
  }

  private append(
    data: Uint8Array,
    offset: number,
    length: number,
    segmentBegin: number,
    segmentEnd: number,
    memory: StreamMemory,
  ): number {
    if (!this.makeRoom(length, memory)) return SHED;
    const at = this.windowStart + this.windowLength;
    if (length < 64) for (let i = 0; i < length; i++) this.window[at + i] = data[offset + i]!;
    else this.window.set(data.subarray(offset, offset + length), at);
    this.windowLength += length;
    this.segments.push(segmentBegin, segmentEnd);
    return KEPT;
  }

  private makeRoom(length: number, memory: StreamMemory): boolean {
    const need = this.windowLength + length;
    if (this.windowStart + need <= this.window.length) return true;
    if (need <= this.window.length) {
      this.window.copyWithin(0, this.windowStart, this.windowStart + this.windowLength);
      this.windowStart = 0;
      return true;
    }
    const larger = memory.take(need);
    if (larger === undefined) return false;
    larger.set(this.window.subarray(this.windowStart, this.windowStart + this.windowLength));
    if (this.window.length > 0) memory.give(this.window);
    this.window = larger;
    this.windowStart = 0;
    return true;
  }

  /** Puts what is not there yet between the pieces; where it overlaps with one the policy decides. */
  private insertPieces(
    data: Uint8Array,
    shift: number,
    from: number,
    begin: number,
    end: number,
    memory: StreamMemory,
    policy: StreamPolicy,
  ): number {
    const { pieces } = this;
    let outcome = KEPT;
    let at = from;
    let i = pieces.length;
    while (i > 0 && pieces[i - 1]!.end > from) i--;
    for (; at < end; i++) {
      const piece = pieces[i];
      const holeEnd = piece === undefined ? end : Math.min(end, piece.begin);
      if (at < holeEnd) {
        if (!memory.reserve(holeEnd - at)) return outcome | SHED;
        const copy = new Uint8Array(data.subarray(shift + at, shift + holeEnd));
        pieces.splice(i, 0, { begin: at, end: holeEnd, segmentBegin: begin, segmentEnd: end, data: copy });
        at = holeEnd;
        continue;
      }
      if (piece === undefined) break;
      outcome |= OVERLAPS;
      const stop = Math.min(end, piece.end);
      const wins = newWins(policy, begin, end, piece.segmentBegin, piece.segmentEnd);
      for (; at < stop; at++) {
        if (piece.data[at - piece.begin] === data[shift + at]) continue;
        outcome |= DIFFERS;
        if (wins) piece.data[at - piece.begin] = data[shift + at]!;
      }
    }
    return outcome;
  }

  /** Moves pieces that now follow without a hole into the window. */
  private absorb(memory: StreamMemory): number {
    const { pieces } = this;
    let n = 0;
    let outcome = KEPT;
    while (n < pieces.length && pieces[n]!.begin <= this.contiguousEnd) {
      const piece = pieces[n]!;
      outcome |= this.append(piece.data, 0, piece.data.length, piece.segmentBegin, piece.segmentEnd, memory);
      if (outcome & SHED) break;
      memory.unreserve(piece.data.length);
      n++;
    }
    if (n > 0) pieces.splice(0, n);
    return outcome;
  }

  /** Begin of the next bytes there are, or -1. */
  nextAvailable(): number {
    if (this.windowLength > 0) return this.position;
    return this.pieces.length > 0 ? this.pieces[0]!.begin : -1;
  }

  /** Skips bytes that will not come; then what follows is contiguous. */
  skip(length: number, memory: StreamMemory): void {
    this.advance(length);
    this.absorb(memory);
  }

  /** Bytes were handed on without being kept. */
  advance(length: number): void {
    this.position += length;
    this.next = (this.next + length) | 0;
  }

  /** Hands `length` bytes of the window to `consume`, then forgets them. */
  take(
    length: number,
    memory: StreamMemory,
    consume: (data: Uint8Array, offset: number, length: number) => void,
  ): void {
    const at = this.windowStart;
    consume(this.window, at, length);
    this.advance(length);
    this.windowStart += length;
    this.windowLength -= length;
    const { segments } = this;
    if (this.windowLength === 0) {
      segments.length = 0;
      this.windowStart = 0;
      if (this.window.length > 0) memory.give(this.window);
      this.window = NOTHING;
      return;
    }
    let done = 0;
    while (done < segments.length && segments[done + 1]! <= this.position) done += 2;
    if (done > 0) segments.splice(0, done);
  }

  /** Forgets everything that is kept. */
  clear(memory: StreamMemory): void {
    if (this.window.length > 0) memory.give(this.window);
    for (const piece of this.pieces) memory.unreserve(piece.data.length);
    this.window = NOTHING;
    this.windowStart = this.windowLength = 0;
    this.segments.length = this.pieces.length = 0;
  }
}
