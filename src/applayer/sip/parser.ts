import type { AppParser } from '../../domain/app-layer.js';
import type { Direction } from '../../domain/flow.js';
import { bytesOf, latin1 } from '../http/bytes.js';
import { createMessageParser } from '../messages.js';
import type { AppLayerOptions } from '../options.js';
import type { FieldTransaction } from '../transaction.js';
import { readHeaders } from './headers.js';
import { readSdp } from './sdp.js';

const REQUEST = /^([A-Z][A-Za-z0-9.!%*_+`'~-]*) (\S+) (SIP\/\d+\.\d+)$/;
const RESPONSE = /^(SIP\/\d+\.\d+) (\d{3}) ([^\r\n]*)$/;
const MAX_LINE = 4096;

/** SIP (RFC 3261 7): first line and headers of each message, and the session that it describes. Over TCP a segment that begins with one is a message. */
export function createSipParser(options: AppLayerOptions, transport: 'tcp' | 'udp'): AppParser {
  return createMessageParser({
    proto: 'sip',
    options,
    transport,
    reader: ({ open }) => ({
      length: sipLength,
      message(d, direction) {
        const tx = open(direction);
        tx.finish();
        const text = latin1(d.subarray(0, MAX_LINE));
        const end = text.search(/\r?\n/);
        if (end < 0 || !describe(text.slice(0, end), tx, direction)) tx.note('invalid_data');
        else readRest(latin1(d.subarray(end)), tx, direction);
      },
    }),
  });
}

/** Header and body, by `Content-Length` (RFC 3261 20.14). */
function sipLength(d: Uint8Array): number {
  const text = latin1(d.subarray(0, 16_384));
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return d.length > 16_384 ? -1 : 0;
  const length = /\r\n(?:content-length|l)[ \t]*:[ \t]*(\d{1,6})[ \t]*\r\n/i.exec(text.slice(0, end + 2));
  return end + 4 + (length ? Number(length[1]) : 0);
}

function readRest(text: string, tx: FieldTransaction, direction: Direction): void {
  const empty = /\r?\n\r?\n/.exec(text);
  readHeaders(text.slice(0, empty?.index ?? text.length), tx, direction);
  const [type] = tx.fields[direction].get('sip.content_type') ?? [];
  if (empty && type instanceof Uint8Array && /^application\/sdp\b/i.test(latin1(type)))
    readSdp(text.slice(empty.index + empty[0].length), tx, direction);
}

function describe(line: string, tx: FieldTransaction, direction: Direction): boolean {
  const set = (name: string, value: string): void => void tx.fields[direction].set(name, bytesOf(value));
  const request = REQUEST.exec(line);
  if (request) {
    set('sip.method', request[1]!);
    set('sip.uri', request[2]!);
    set('sip.protocol', request[3]!);
    set('sip.request_line', line);
    return true;
  }
  const response = RESPONSE.exec(line);
  if (!response) return false;
  set('sip.protocol', response[1]!);
  set('sip.stat_code', response[2]!);
  set('sip.stat_msg', response[3]!);
  set('sip.response_line', line);
  return true;
}
