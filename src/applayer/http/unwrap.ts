import { Inflate, type InflateStatus } from './inflate.js';

/** What is expected around the compressed data: nothing, or whichever of gzip (RFC 1952) and zlib (RFC 1950) is there. */
export type Wrapping = 'raw' | 'auto';

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;

/** Bytes of a complete header, 0 when more is needed, -1 when it is none. */
export function headerLength(d: Uint8Array): { length: number; trailer: number } {
  const bad = { length: -1, trailer: 0 };
  const more = { length: 0, trailer: 0 };
  if (d.length < 2) return more;
  if (d[0] !== 0x1f || d[1] !== 0x8b) {
    const isZlib = (d[0]! * 256 + d[1]!) % 31 === 0 && (d[0]! & 15) === 8 && d[0]! >> 4 <= 7 && (d[1]! & 0x20) === 0;
    return isZlib ? { length: 2, trailer: 4 } : bad;
  }
  if (d.length < 4) return more;
  const flags = d[3]!;
  if (d[2] !== 8 || flags & 0xe0) return bad;
  let at = 10;
  if (flags & FEXTRA) {
    if (d.length < at + 2) return more;
    at += 2 + d[at]! + d[at + 1]! * 256;
  }
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const end = at <= d.length ? d.indexOf(0, at) : -1;
    if (end < 0) return more;
    at = end + 1;
  }
  if (flags & FHCRC) at += 2;
  return d.length < at ? more : { length: at, trailer: 8 };
}

/** Compressed data with its wrapping. */
export class Unwrap {
  private readonly inflate: Inflate;
  private head: Uint8Array | undefined;

  constructor(wrapping: Wrapping, emit: (byte: number) => void) {
    this.inflate = new Inflate(emit);
    this.head = wrapping === 'auto' ? new Uint8Array(0) : undefined;
  }

  push(data: Uint8Array, isRoom: () => boolean): InflateStatus {
    if (this.head === undefined) return this.inflate.push(data, isRoom);
    const joined = new Uint8Array(this.head.length + data.length);
    joined.set(this.head);
    joined.set(data, this.head.length);
    const { length } = headerLength(joined);
    if (length < 0 || (length === 0 && joined.length > 65_536)) return 'error';
    if (length === 0) {
      this.head = joined;
      return 'more';
    }
    this.head = undefined;
    return this.inflate.push(joined.subarray(length), isRoom);
  }
}
