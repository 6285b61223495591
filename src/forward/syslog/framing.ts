export type Framing = 'octet' | 'newline';

/** Characters of the longest length in front of a message, with its space. */
const LENGTH_ROOM = 11;
/** A batch that needed more is written once; its buffer is not kept. */
const KEPT_BYTES = 1024 * 1024;
const SPACE = 0x20;
const LINE_FEED = 0x0a;

/**
 * Messages one after the other as they go onto a stream (RFC 6587 3.4): `LENGTH SP MESSAGE`, or `MESSAGE LF`. Messages
 * never hold a raw line break, so the newline form cannot be forged from inside; a stray one would become a space here.
 * Each message is encoded once, straight into the buffer of the batch.
 */
export class FrameWriter {
  private readonly framing: Framing;
  private buffer = Buffer.allocUnsafe(64 * 1024);
  private used = 0;

  constructor(framing: Framing) {
    this.framing = framing;
  }

  add(message: string): void {
    this.reserve(3 * message.length + LENGTH_ROOM);
    if (this.framing === 'octet') this.addCounted(message);
    else this.addLine(message);
  }

  /** What was added; valid until {@link clear}. */
  bytes(): Buffer {
    return this.buffer.subarray(0, this.used);
  }

  clear(): void {
    this.used = 0;
    if (this.buffer.length > KEPT_BYTES) this.buffer = Buffer.allocUnsafe(64 * 1024);
  }

  /** The length in bytes comes first and is known last: most messages have as many bytes as characters. */
  private addCounted(message: string): void {
    const { buffer, used } = this;
    let digits = String(message.length);
    const guessed = used + digits.length + 1;
    const length = buffer.write(message, guessed);
    if (length !== message.length) digits = String(length);
    const start = used + digits.length + 1;
    if (start !== guessed) buffer.copyWithin(start, guessed, guessed + length);
    for (let i = 0; i < digits.length; i++) buffer[used + i] = digits.charCodeAt(i);
    buffer[start - 1] = SPACE;
    this.used = start + length;
  }

  private addLine(message: string): void {
    const isBroken = message.includes('\n') || message.includes('\r');
    this.used += this.buffer.write(isBroken ? message.replace(/[\r\n]+/g, ' ') : message, this.used);
    this.buffer[this.used++] = LINE_FEED;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= this.buffer.length) return;
    const bigger = Buffer.allocUnsafe(Math.max(2 * this.buffer.length, this.used + bytes));
    this.buffer.copy(bigger, 0, 0, this.used);
    this.buffer = bigger;
  }
}
