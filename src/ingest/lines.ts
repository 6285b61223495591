const LF = 10;
const SPACE = 32;
/** Digits of a length prefix: no message is longer than 1 MiB. */
const MAX_LENGTH_DIGITS = 7;

export interface LineSink {
  line(text: string): void;
  /** A line that was longer than allowed and is left out. */
  tooLong(): void;
}

/**
 * Cuts a byte stream into messages: lines, or with `octets` also RFC 6587 octet counting, told apart message by message
 * by a leading digit. Holds at most one message; a longer one is passed over to its end.
 */
export class MessageSplitter {
  private readonly maxBytes: number;
  private readonly octets: boolean;
  private readonly sink: LineSink;
  private rest: Buffer = Buffer.alloc(0);
  private skipping = false;
  /** Bytes of a too long counted message that are still to come. */
  private skipBytes = 0;

  constructor(maxBytes: number, octets: boolean, sink: LineSink) {
    this.maxBytes = maxBytes;
    this.octets = octets;
    this.sink = sink;
  }

  /** Bytes taken that do not make a whole message yet. */
  get pending(): number {
    return this.rest.length;
  }

  push(chunk: Buffer): void {
    let data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = Buffer.alloc(0);
    for (;;) {
      const left = this.next(data);
      if (left === undefined) break;
      data = left;
    }
  }

  /** Takes one message off the front. @returns what is left, or undefined when more bytes are needed. */
  private next(data: Buffer): Buffer | undefined {
    if (data.length === 0) return undefined;
    if (this.skipBytes > 0) {
      const skipped = Math.min(this.skipBytes, data.length);
      this.skipBytes -= skipped;
      return data.subarray(skipped);
    }
    if (this.octets && !this.skipping && isDigit(data[0]!)) {
      const counted = this.counted(data);
      if (counted !== 'line') return counted;
    }
    const end = data.indexOf(LF);
    if (end < 0) {
      if (this.skipping) return undefined;
      if (data.length <= this.maxBytes) this.rest = Buffer.from(data);
      else this.skip();
      return undefined;
    }
    if (this.skipping) this.skipping = false;
    else if (end > this.maxBytes) this.sink.tooLong();
    else this.emit(data.subarray(0, end));
    return data.subarray(end + 1);
  }

  private counted(data: Buffer): Buffer | undefined | 'line' {
    let digits = 0;
    while (digits < data.length && digits <= MAX_LENGTH_DIGITS && isDigit(data[digits]!)) digits++;
    if (digits === data.length && digits <= MAX_LENGTH_DIGITS) {
      this.rest = Buffer.from(data);
      return undefined;
    }
    if (digits > MAX_LENGTH_DIGITS || data[digits] !== SPACE) return 'line';
    const length = Number(data.toString('latin1', 0, digits));
    const start = digits + 1;
    if (length > this.maxBytes) {
      this.sink.tooLong();
      this.skipBytes = length;
      return data.subarray(start);
    }
    if (data.length < start + length) {
      this.rest = Buffer.from(data);
      return undefined;
    }
    this.emit(data.subarray(start, start + length));
    return data.subarray(start + length);
  }

  private skip(): void {
    this.skipping = true;
    this.sink.tooLong();
  }

  private emit(line: Buffer): void {
    let end = line.length;
    while (end > 0 && (line[end - 1] === LF || line[end - 1] === 13 || line[end - 1] === 0)) end--;
    if (end > 0) this.sink.line(line.toString('utf8', 0, end));
  }
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}
