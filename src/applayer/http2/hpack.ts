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
  decode(d: Uint8Array, maxFields: number, maxBytes: number): { fields: Field[]; isSound: boolean } {
    const fields: Field[] = [];
    const cursor = { at: 0 };
    let kept = 0;
    while (cursor.at < d.length) {
      const first = d[cursor.at]!;
      if ((first & 0xe0) === 0x20) {
        const size = integer(d, cursor, 5);
        if (size === undefined || size > this.maxLimit) return { fields, isSound: false };
        this.limit = size;
        this.evict();
        continue;
      }
      const field = this.field(d, cursor, first);
      if (!field) return { fields, isSound: false };
      kept += field.name.length + field.value.length;
      if (fields.length < maxFields && kept <= maxBytes) fields.push(field);
    }
    return { fields, isSound: true };
  }

  private field(d: Uint8Array, cursor: { at: number }, first: number): Field | undefined {
    if (first & 0x80) return this.lookup(integer(d, cursor, 7));
    const isIndexed = (first & 0x40) !== 0;
    const index = integer(d, cursor, isIndexed ? 6 : 4);
    if (index === undefined) return undefined;
    const name = index === 0 ? text(d, cursor) : this.lookup(index)?.name;
    const value = text(d, cursor);
    if (!name || !value) return undefined;
    const field = { name, value };
    if (isIndexed) this.insert(field);
    return field;
  }

  private lookup(index: number | undefined): Field | undefined {
    if (index === undefined || index === 0) return undefined;
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

/** An integer with an N-bit prefix (RFC 7541 5.1). */
function integer(d: Uint8Array, cursor: { at: number }, bits: number): number | undefined {
  const mask = 2 ** bits - 1;
  let value = (d[cursor.at] ?? 0) & mask;
  if (cursor.at >= d.length) return undefined;
  cursor.at++;
  if (value < mask) return value;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = d[cursor.at++];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return value;
  }
  return undefined;
}

function text(d: Uint8Array, cursor: { at: number }): Uint8Array | undefined {
  const isHuffman = ((d[cursor.at] ?? 0) & 0x80) !== 0;
  const length = integer(d, cursor, 7);
  if (length === undefined || cursor.at + length > d.length) return undefined;
  const raw = d.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  return isHuffman ? copy(decodeHuffman(raw)) : copy(raw);
}
