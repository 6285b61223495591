import type { Direction } from '../../domain/flow.js';
import { bytesOf } from '../http/bytes.js';
import type { FieldTransaction } from '../transaction.js';

/** Lines about the session, and about one of its media behind an `m=` line (RFC 8866 5), by the names of the buffers. */
const OF_SESSION: Readonly<Record<string, string>> = {
  o: 'sdp.origin',
  s: 'sdp.session_name',
  i: 'sdp.session_info',
  u: 'sdp.uri',
  e: 'sdp.email',
  p: 'sdp.phone_number',
  c: 'sdp.connection_data',
  b: 'sdp.bandwidth',
  t: 'sdp.time',
  r: 'sdp.repeat_time',
  z: 'sdp.timezone',
  k: 'sdp.encryption_key',
  a: 'sdp.attribute',
};
const OF_MEDIA: Readonly<Record<string, string>> = {
  m: 'sdp.media.media',
  i: 'sdp.media.media_info',
  c: 'sdp.media.connection_data',
  k: 'sdp.media.encryption_key',
};
const MAX_LINES = 512;

/** Takes a description of a session into the transaction; what does not begin with its version is none. */
export function readSdp(body: string, tx: FieldTransaction, direction: Direction): void {
  const lines = body.split(/\r?\n/, MAX_LINES);
  if (!/^v=\d/.test(lines[0]!)) return;
  let names = OF_SESSION;
  for (const line of lines) {
    if (line[1] !== '=') continue;
    if (line.startsWith('m')) names = OF_MEDIA;
    const name = names[line[0]!];
    if (name !== undefined) tx.add(direction, name, bytesOf(line.slice(2).trim()));
  }
}
