/** A variable-length integer (RFC 9000 16), with what follows it. */
export function varint(d: Uint8Array, at: number): { value: number; end: number } | undefined {
  const first = d[at];
  if (first === undefined) return undefined;
  const size = 1 << (first >> 6);
  if (at + size > d.length) return undefined;
  let value = first & 0x3f;
  for (let i = 1; i < size; i++) value = value * 256 + d[at + i]!;
  return { value, end: at + size };
}

export interface CryptoFrame {
  offset: number;
  data: Uint8Array;
}

const PADDING = 0;
const PING = 1;
const ACK = 2;
const ACK_ECN = 3;
const CRYPTO = 6;
const MAX_FRAMES = 256;

/** The CRYPTO frames of an Initial packet (RFC 9000 12.4), as far as its frames can be read. */
export function cryptoFrames(d: Uint8Array): CryptoFrame[] {
  const out: CryptoFrame[] = [];
  let at = 0;
  for (let n = 0; n < MAX_FRAMES && at < d.length;) {
    const type = d[at++]!;
    if (type === PADDING) continue;
    n++;
    if (type === PING) continue;
    if (type === CRYPTO) {
      const offset = varint(d, at);
      const length = offset && varint(d, offset.end);
      if (length === undefined || length.end + length.value > d.length) return out;
      out.push({ offset: offset!.value, data: d.subarray(length.end, length.end + length.value) });
      at = length.end + length.value;
    } else if (type === ACK || type === ACK_ECN) {
      const end = skipAck(d, at, type === ACK_ECN);
      if (end < 0) return out;
      at = end;
    } else return out;
  }
  return out;
}

/** Where an ACK frame ends (RFC 9000 19.3), or -1. */
function skipAck(d: Uint8Array, from: number, hasCounts: boolean): number {
  let at = from;
  const next = (): number => {
    const read = varint(d, at);
    if (read === undefined) return -1;
    at = read.end;
    return read.value;
  };
  if (next() < 0 || next() < 0) return -1;
  const ranges = next();
  if (ranges < 0 || ranges > MAX_FRAMES || next() < 0) return -1;
  for (let i = 0; i < 2 * ranges + (hasCounts ? 3 : 0); i++) if (next() < 0) return -1;
  return at;
}

/** A frame of STREAM in Google's QUIC: which of its fields there are is said by its type. */
function skipGoogleStream(d: Uint8Array, from: number, type: number): number {
  const offsetBytes = (type >> 2) & 7;
  const at = from + (type & 3) + 1 + (offsetBytes === 0 ? 0 : offsetBytes + 1);
  if ((type & 0x20) === 0) return at <= d.length ? d.length : -1;
  const end = at + 2 <= d.length ? at + 2 + d[at]! * 256 + d[at + 1]! : Infinity;
  return end <= d.length ? end : -1;
}

/** Whether the bytes can be frames, of RFC 9000 or of Google's QUIC; what follows an unknown type is not looked at. */
export function areFrames(d: Uint8Array): boolean {
  let at = 0;
  for (let n = 0; n < MAX_FRAMES && at < d.length; n++) {
    const type = d[at++]!;
    if (type === CRYPTO) {
      const offset = varint(d, at);
      const length = offset && varint(d, offset.end);
      at = length === undefined || length.end + length.value > d.length ? -1 : length.end + length.value;
    } else if (type === ACK || type === ACK_ECN) at = skipAck(d, at, type === ACK_ECN);
    else if (type >= 0x80) at = skipGoogleStream(d, at, type);
    else if (type !== PADDING && type !== PING) return true;
    if (at < 0) return false;
  }
  return true;
}

/** Puts the beginning of the handshake together from frames in any order. */
export class CryptoStream {
  private data = new Uint8Array(0);
  private length = 0;
  private readonly max: number;
  private waiting: CryptoFrame[] = [];

  constructor(max: number) {
    this.max = max;
  }

  /** Bytes from the beginning without a hole. */
  get bytes(): Uint8Array {
    return this.data.subarray(0, this.length);
  }

  /** False when the frame lies beyond what is kept. */
  add(frame: CryptoFrame): boolean {
    if (frame.offset + frame.data.length > this.max || this.waiting.length > 64) return false;
    this.waiting.push({ offset: frame.offset, data: frame.data.slice() });
    this.waiting.sort((a, b) => a.offset - b.offset);
    while (this.waiting.length > 0 && this.waiting[0]!.offset <= this.length) this.append(this.waiting.shift()!);
    return true;
  }

  private append({ offset, data }: CryptoFrame): void {
    const fresh = data.subarray(Math.max(0, this.length - offset));
    if (fresh.length === 0) return;
    const joined = new Uint8Array(this.length + fresh.length);
    joined.set(this.bytes);
    joined.set(fresh, this.length);
    this.data = joined;
    this.length = joined.length;
  }
}
