import { bytesOf, copy } from '../http/bytes.js';
import { decodeHuffman } from './huffman.js';

export interface Field {
  name: Uint8Array;
  value: Uint8Array;
}

/** The static table (RFC 7541 appendix A): names, with the value behind `=`. */
const STATIC = (
  ':authority|:method=GET|:method=POST|:path=/|:path=/index.html|:scheme=http|:scheme=https|:status=200|:status=204|' +
  ':status=206|:status=304|:status=400|:status=404|:status=500|accept-charset|accept-encoding=gzip, deflate|' +
  'accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|' +
  'content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|' +
  'cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|' +
  'last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|' +
  'server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate'
)
  .split('|')
  .map((entry): Field => {
    const at = entry.indexOf('=');
    return { name: bytesOf(at < 0 ? entry : entry.slice(0, at)), value: bytesOf(at < 0 ? '' : entry.slice(at + 1)) };
  });
const OVERHEAD = 32;
const DEFAULT_TABLE_BYTES = 4096;

/** What came of a header block. */
export interface DecodedBlock {
  fields: Field[];
  /** The last size that the table was given, bytes. */
  sizeUpdate?: number;
  /** A field names no entry of the tables. */
  hasBadIndex: boolean;
  /** Why the rest could not be read. */
  fault?: 'integer overflow' | 'cut' | 'table too large';
}

/** Byte behind the prefix that holds the highest bit of 64: with it the sum overflows; above, it is no such number. */
const LAST_BYTE = 9;
/** A number that is too large, or that is not all there. */
const OVERFLOW = -1;
const CUT = -2;

/** The header compression of one direction (RFC 7541): a table that grows with what was sent. */
export class HpackDecoder {
  private readonly dynamic: Field[] = [];
  private bytes = 0;
  private limit = DEFAULT_TABLE_BYTES;
  private readonly maxLimit: number;

  constructor(maxTableBytes: number) {
    this.maxLimit = maxTableBytes;
  }

  /** Fields of a complete header block; it ends where it is not sound. */
  decode(d: Uint8Array, maxFields: number, maxBytes: number): DecodedBlock {
    const block: DecodedBlock = { fields: [], hasBadIndex: false };
    const cursor = { at: 0 };
    let kept = 0;
    while (cursor.at < d.length) {
      const first = d[cursor.at]!;
      if ((first & 0xe0) === 0x20) {
        const size = integer(d, cursor, 5);
        if (size < 0) return { ...block, fault: faultOf(size) };
        if (Number.isFinite(size)) block.sizeUpdate = size;
        if (size > this.maxLimit) return { ...block, fault: 'table too large' };
        this.limit = size;
        this.evict();
        continue;
      }
      const field = this.field(d, cursor, first);
      if (typeof field === 'number') return { ...block, fault: faultOf(field) };
      if (field === undefined) {
        block.hasBadIndex = true;
        continue;
      }
      kept += field.name.length + field.value.length;
      if (block.fields.length < maxFields && kept <= maxBytes) block.fields.push(field);
    }
    return block;
  }

  /** @returns undefined when the field names no entry, OVERFLOW or CUT when it cannot be read. */
  private field(d: Uint8Array, cursor: { at: number }, first: number): Field | number | undefined {
    const isWhole = (first & 0x80) !== 0;
    const isIndexed = !isWhole && (first & 0x40) !== 0;
    const index = integer(d, cursor, isWhole ? 7 : isIndexed ? 6 : 4);
    if (index < 0) return index;
    if (isWhole) return this.lookup(index);
    const name = index === 0 ? text(d, cursor) : this.lookup(index)?.name;
    if (typeof name === 'number') return name;
    const value = text(d, cursor);
    if (typeof value === 'number') return value;
    if (name === undefined) return undefined;
    const field = { name, value };
    if (isIndexed) this.insert(field);
    return field;
  }

  private lookup(index: number): Field | undefined {
    if (index === 0) return undefined;
    return index <= STATIC.length ? STATIC[index - 1] : this.dynamic[index - STATIC.length - 1];
  }

  private insert(field: Field): void {
    this.dynamic.unshift(field);
    this.bytes += field.name.length + field.value.length + OVERHEAD;
    this.evict();
  }

  private evict(): void {
    while (this.bytes > this.limit && this.dynamic.length > 0) {
      const old = this.dynamic.pop()!;
      this.bytes -= old.name.length + old.value.length + OVERHEAD;
    }
  }
}

const faultOf = (code: number): 'integer overflow' | 'cut' => (code === CUT ? 'cut' : 'integer overflow');

/** An integer with an N-bit prefix (RFC 7541 5.1), OVERFLOW, CUT, or Infinity for what has more than 64 bits. */
function integer(d: Uint8Array, cursor: { at: number }, bits: number): number {
  const mask = 2 ** bits - 1;
  if (cursor.at >= d.length) return CUT;
  let value = d[cursor.at++]! & mask;
  if (value < mask) return value;
  for (let n = 0; ; n++) {
    const byte = d[cursor.at++];
    if (byte === undefined) return CUT;
    value += (byte & 127) * 2 ** (7 * n);
    if (byte < 128) return n < LAST_BYTE ? value : n === LAST_BYTE && byte === 1 ? OVERFLOW : Infinity;
  }
}

/** A string (RFC 7541 5.2), OVERFLOW or CUT. */
function text(d: Uint8Array, cursor: { at: number }): Uint8Array | number {
  const isHuffman = ((d[cursor.at] ?? 0) & 0x80) !== 0;
  const length = integer(d, cursor, 7);
  if (length < 0) return length;
  if (cursor.at + length > d.length) return CUT;
  const raw = d.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return isHuffman ? copy(decodeHuffman(raw)) : copy(raw);
}
