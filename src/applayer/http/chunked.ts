import { LF } from './bytes.js';
import type { Input } from './lines.js';

const PROBE_BYTES = 8;
const MAX_CHUNK = 2 ** 31 - 1;

function isControl(c: number): boolean {
  return c === 32 || (c >= 9 && c <= 13);
}

function isHex(c: number): boolean {
  return (c >= 48 && c <= 57) || (c >= 65 && c <= 70) || (c >= 97 && c <= 102);
}

/** Whether this can be the beginning of a chunk's length: junk in front of the number shows that it is none. */
function looksLikeLength(d: Uint8Array, begin: number, end: number): boolean {
  if (end - begin < PROBE_BYTES) return true;
  for (let i = begin; i < end; i++) if (!isControl(d[i]!)) return isHex(d[i]!);
  return true;
}

const SEMICOLON = 59;

/** Whether a chunk's first line has an extension behind its length (RFC 9112 7.1.1). */
export function hasExtension(line: Uint8Array): boolean {
  return line.includes(SEMICOLON);
}

/** Length in a chunk's first line; -1 for an empty line, -2 when it is no length. */
export function parseChunkLength(line: Uint8Array): number {
  let at = 0;
  while (at < line.length && isControl(line[at]!)) at++;
  if (at === line.length) return -1;
  let length = 0;
  const begin = at;
  for (; at < line.length && isHex(line[at]!); at++) {
    length = length * 16 + Number.parseInt(String.fromCharCode(line[at]!), 16);
    if (length > MAX_CHUNK) return -2;
  }
  return at === begin ? -2 : length;
}

/**
 * The next chunk's length, its line consumed; `more` when the line is not there yet, `invalid` with nothing consumed when it
 * is not a length.
 */
export function readChunkLength(input: Input, onExtension: () => void): number | 'more' | 'invalid' {
  for (;;) {
    const { data, at: begin } = input;
    let end = begin;
    for (; end < data.length; end++) {
      if (data[end] === LF) break;
      if (!isControl(data[end]!) && !looksLikeLength(data, begin, end + 1)) return 'invalid';
    }
    if (end === data.length) return 'more';
    const length = parseChunkLength(data.subarray(begin, end + 1));
    if (length === -2) return 'invalid';
    if (hasExtension(data.subarray(begin, end))) onExtension();
    input.at = end + 1;
    if (length >= 0) return length;
  }
}
