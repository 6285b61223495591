import type { Direction } from '../../domain/flow.js';
import { bytesOf } from '../http/bytes.js';
import type { FieldTransaction } from '../transaction.js';

/** Headers that rules look into, with their short forms (RFC 3261 7.3.3), by the names of the buffers. */
const BUFFERS = new Map(
  Object.entries({
    from: 'sip.from',
    f: 'sip.from',
    to: 'sip.to',
    t: 'sip.to',
    via: 'sip.via',
    v: 'sip.via',
    'user-agent': 'sip.user_agent',
    'content-type': 'sip.content_type',
    c: 'sip.content_type',
    'content-length': 'sip.content_length',
    l: 'sip.content_length',
  }),
);
const MAX_HEADERS = 256;

/** Takes the headers of a message into the transaction. @param head the text between the first line and the empty one. */
export function readHeaders(head: string, tx: FieldTransaction, direction: Direction): void {
  // A line that begins with white space goes on with the one before it (RFC 3261 7.3.1).
  const lines = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/, MAX_HEADERS);
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = BUFFERS.get(line.slice(0, colon).trim().toLowerCase());
    if (name !== undefined) tx.add(direction, name, bytesOf(line.slice(colon + 1).trim()));
  }
}
