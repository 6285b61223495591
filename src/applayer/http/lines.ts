import { CR, LF, NOTHING, chomp, concat, isLws, copy, part, type Pieces } from './bytes.js';
import type { HeaderAnomaly, Headers } from './headers.js';

/** Bytes of a header field over several lines, as many as libhtp joins. */
const MAX_FOLDED = 10_240;

/** Bytes of one side of a connection, read step by step as they come. */
export class Input {
  data: Uint8Array = NOTHING;
  /** Next byte to read. */
  at = 0;

  feed(data: Uint8Array, offset: number, length: number): void {
    const fresh = part(data, offset, length);
    this.data = this.at < this.data.length ? concat(this.data.subarray(this.at), fresh) : fresh;
    this.at = 0;
  }

  /** The caller's bytes are not valid later: keeps a copy of what was not read. */
  keep(): void {
    this.data = this.at < this.data.length ? copy(this.data.subarray(this.at)) : NOTHING;
    this.at = 0;
  }

  get left(): number {
    return this.data.length - this.at;
  }

  take(length: number): Uint8Array {
    const n = Math.min(length, this.left);
    this.at += n;
    return part(this.data, this.at - n, n);
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** The line up to and with its LF, or undefined when it is not complete. */
  line(): Uint8Array | undefined {
    const end = this.data.indexOf(LF, this.at);
    return end < 0 ? undefined : this.take(end + 1 - this.at);
  }
}

/**
 * Reads header lines as libhtp does: a line ends with LF, CR, CR LF or LF CR; a line that begins with a space goes on
 * with the one before.
 */
export class HeaderReader {
  private pending: Uint8Array | undefined;
  private endedWithLfCr = false;
  private readonly input: Input;
  private readonly pieces: Pieces;

  /** @param pieces where the lines are kept. */
  constructor(input: Input, pieces: Pieces) {
    this.input = input;
    this.pieces = pieces;
  }

  /** @returns `end` after the empty line, `more` when it has not come yet. */
  read(headers: Headers, splitsFolded: boolean, note: (anomaly: HeaderAnomaly) => void): 'end' | 'more' {
    for (;;) {
      const line = this.next();
      if (line === undefined) return 'more';
      if (this.isEmpty(line)) {
        this.flush(headers, note);
        return 'end';
      }
      this.add(chomp(line), headers, splitsFolded, note);
    }
  }

  /** Also a lone space before LF, which browsers take for an empty line. */
  private isEmpty(line: Uint8Array): boolean {
    if (line.length === 1) return line[0] === LF;
    if (line.length !== 2 || line[1] !== LF) return false;
    const { data, at } = this.input;
    return line[0] === CR || (isLws(line[0]!) && at < data.length && data[at] !== LF);
  }

  flush(headers: Headers, note: (anomaly: HeaderAnomaly) => void): void {
    if (this.pending === undefined) return;
    const anomaly = headers.add(this.pending);
    if (anomaly !== undefined) note(anomaly);
    this.pending = undefined;
  }

  private add(line: Uint8Array, headers: Headers, splitsFolded: boolean, note: (anomaly: HeaderAnomaly) => void): void {
    const isFolded = line.length > 0 && (isLws(line[0]!) || line[0] === 0);
    if (!isFolded) {
      this.flush(headers, note);
      this.pending = this.pieces.copy(line);
      return;
    }
    if (this.pending === undefined) {
      note('invalid_folding');
      this.pending = this.pieces.copy(line);
    } else if (splitsFolded && line.includes(58) && this.pending.includes(58)) {
      note('invalid_folding');
      this.flush(headers, note);
      this.pending = this.pieces.copy(line.subarray(1));
    } else if (this.pending.length + line.length >= MAX_FOLDED) {
      note('field_too_long');
    } else {
      this.pending = this.pending.length > 0 ? concat(this.pending, line) : this.pieces.copy(line);
    }
  }

  /** A line with its end, or undefined. */
  private next(): Uint8Array | undefined {
    const { input } = this;
    const { data } = input;
    const begin = input.at;
    for (let at = begin; at < data.length; at++) {
      const c = data[at]!;
      if (c !== LF && c !== CR) continue;
      let end = at + 1;
      if (c === CR) {
        if (end >= data.length) return undefined;
        if (data[end] === LF) end++;
        else if (data[end] === CR || at === begin) continue;
      } else if (data[end] === CR) {
        end++;
      }
      const line = data.subarray(begin, end);
      // LF CR, CR LF, CR LF are two line ends, not three.
      if (this.endedWithLfCr && line.length === 2 && c === CR && data[end] === CR && data[end + 1] === LF) end += 2;
      this.endedWithLfCr = c === LF && end === at + 2;
      input.at = end;
      return line;
    }
    return undefined;
  }
}
