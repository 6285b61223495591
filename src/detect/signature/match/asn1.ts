import { isAscii, isUtf8 } from 'node:buffer';
import type { Asn1Match } from '../rule.js';

/** Elements within each other, and elements one behind the other, that are looked at. */
const MAX_DEPTH = 256;
const MAX_ELEMENTS = 256;
const BIT_STRING = 3;
const REAL = 9;
const SEQUENCE = 16;
const SET = 17;
/** A REAL in decimal form is not longer than this. */
const MAX_DECIMAL_BYTES = 256;

/** One element of BER: what its identifier and length say, and where its content lies. */
interface Element {
  isUniversal: boolean;
  isConstructed: boolean;
  tag: number;
  begin: number;
  /** Behind the content and the mark that ends an indefinite length. */
  next: number;
  end: number;
}

/** Whether BER with one of the wanted oddities begins at `from`; elements that do not fit end the search. */
export function hasOddBer(match: Asn1Match, data: Uint8Array, from: number): boolean {
  if (from < 0) return false;
  for (let at = from, n = 0; at < data.length && n < MAX_ELEMENTS; n++) {
    const found: Element[] = [];
    const next = readTree(data, at, data.length, MAX_DEPTH, found);
    if (next < 0) return false;
    if (found.some((element) => isOdd(match, data, element))) return true;
    at = next;
  }
  return false;
}

function isOdd(match: Asn1Match, data: Uint8Array, { isUniversal, isConstructed, tag, begin, end }: Element): boolean {
  const length = end - begin;
  if (match.oversizeLength !== undefined && length > match.oversizeLength) return true;
  if (!isUniversal || isConstructed || length === 0) return false;
  // X.690 8.6.2: how many bits of the last byte are unused.
  if (match.bitstringOverflow && tag === BIT_STRING && data[begin]! > length * 8) return true;
  return match.doubleOverflow && tag === REAL && (data[begin]! & 0xc0) === 0 && length > MAX_DECIMAL_BYTES;
}

/** Reads an element with all inside; the position behind it, or -1 when it is not sound. */
function readTree(data: Uint8Array, at: number, limit: number, depth: number, found: Element[]): number {
  if (depth === 0 || found.length >= MAX_ELEMENTS) return -1;
  const element = readHeader(data, at, limit);
  if (element === undefined) return -1;
  found.push(element);
  const hasParts = element.isUniversal && (element.tag === SEQUENCE || element.tag === SET);
  if (!element.isConstructed || !hasParts) {
    const isSound = !hasParts && element.end >= 0 && (!element.isUniversal || isReadable(data, element));
    return isSound ? element.next : -1;
  }
  const isIndefinite = element.end < 0;
  const end = isIndefinite ? limit : element.end;
  let inner = element.begin;
  while (inner < end) {
    if (isIndefinite && data[inner] === 0 && data[inner + 1] === 0) {
      element.end = inner;
      return inner + 2;
    }
    inner = readTree(data, inner, end, depth - 1, found);
    if (inner < 0) return -1;
  }
  return isIndefinite ? -1 : element.next;
}

/** Forms of universal types whose content is looked at; any other is bytes. */
const FORMS: Readonly<Record<number, (content: Buffer) => boolean>> = {
  1: (content) => content.length === 1,
  12: isUtf8,
  18: (content) => /^[0-9 ]*$/.test(content.toString('latin1')),
  19: (content) => /^[A-Za-z0-9 '()+,\-./:=?*]*$/.test(content.toString('latin1')),
  22: isAscii,
  23: (content) => /^\d{10}(\d\d)?(Z|[+-]\d{4})$/.test(content.toString('latin1')),
  24: (content) => /^\d{10,14}(\.\d+)?(Z|[+-]\d{4})?$/.test(content.toString('latin1')),
};

function isReadable(data: Uint8Array, { tag, begin, end }: Element): boolean {
  const form = FORMS[tag];
  return form === undefined || form(Buffer.from(data.buffer, data.byteOffset + begin, end - begin));
}

function readHeader(data: Uint8Array, start: number, limit: number): Element | undefined {
  let at = start;
  if (at + 2 > limit) return undefined;
  const identifier = data[at++]!;
  let tag = identifier & 0x1f;
  if (tag === 0x1f) {
    tag = 0;
    for (let n = 0; ; n++) {
      if (n === 4 || at >= limit) return undefined;
      const byte = data[at++]!;
      tag = tag * 128 + (byte & 0x7f);
      if (byte < 0x80) break;
    }
  }
  if (at >= limit) return undefined;
  const isConstructed = (identifier & 0x20) !== 0;
  const head = { isUniversal: identifier < 0x40, isConstructed, tag };
  let length = data[at++]!;
  if (length === 0x80) return isConstructed ? { ...head, begin: at, next: -1, end: -1 } : undefined;
  if (length > 0x80) {
    const bytes = length & 0x7f;
    if (bytes > 6 || at + bytes > limit) return undefined;
    length = 0;
    for (let i = 0; i < bytes; i++) length = length * 256 + data[at++]!;
  }
  const end = at + length;
  return end > limit ? undefined : { ...head, begin: at, next: end, end };
}
