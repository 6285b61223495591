import { CR, LF, isSpace, latin1, type Pieces } from './bytes.js';
import type { Input } from './lines.js';
import type { HttpTransaction } from './transaction.js';

const HTTP = [0x68, 0x74, 0x74, 0x70];

/** Browsers take a first line for a status line when it begins with "http". */
export function resemblesResponse(line: Uint8Array): boolean {
  let at = 0;
  while (at < line.length && (isSpace(line[at]!) || line[at] === 0)) at++;
  return HTTP.every((c, i) => ((line[at + i] ?? 0) | 0x20) === c);
}

/** The first line with its end, which is LF, CR or CR LF; undefined when it is not complete. */
export function takeFirstLine(input: Input): Uint8Array | undefined {
  const { data, at: begin } = input;
  let end = begin;
  for (; end < data.length; end++) {
    if (data[end] === LF) break;
    if (data[end] !== CR) continue;
    if (end + 1 === data.length) return undefined;
    if (data[end + 1] !== LF) break;
  }
  return end === data.length ? undefined : input.take(end + 1 - begin);
}

/**
 * Reads protocol, status and reason, and notes what is wrong with them.
 * @param line without its end. @param pieces where it is kept.
 */
export function readStatusLine(tx: HttpTransaction, line: Uint8Array, pieces: Pieces): void {
  const m = tx.response;
  m.line = pieces.copy(line);
  const parts = /^[\s\0]*(\S+)(?:\s+(\S+)(?:\s+([^]*))?)?/.exec(latin1(line));
  const bytes = (text: string | undefined): Uint8Array | undefined =>
    text === undefined || text === '' ? undefined : Buffer.from(text, 'latin1');
  m.protocol = bytes(parts?.[1]);
  tx.statCode = bytes(parts?.[2]);
  tx.statMsg = bytes(parts?.[3]);
  tx.status = /^\d{3}$/.test(parts?.[2] ?? '') ? Number(parts![2]) : -1;
  if (tx.status < 100) tx.note('response_invalid_status');
  if (!/^HTTP\/(0\.9|1\.[01])$/.test(parts?.[1] ?? '')) tx.note('response_invalid_protocol');
}
