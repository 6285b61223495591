import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { play } from '../bench.js';
import { testEvents, type EventCase } from './cases.js';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';
const SETTINGS = '\0\0\0\x04\0\0\0\0\0';
/** Literal header fields without indexing (RFC 7541 6.2.2) in one HEADERS frame of stream 1. */
function headers(fields: Readonly<Record<string, string>>): string {
  const block = Object.entries(fields)
    .map(([name, value]) => `\0${String.fromCharCode(name.length)}${name}${String.fromCharCode(value.length)}${value}`)
    .join('');
  return `\0${String.fromCharCode(block.length >> 8, block.length & 255)}\x01\x05\0\0\0\x01${block}`;
}
const asks = (name: string, fields: Readonly<Record<string, string>>, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, PREFACE + headers({ ':method': 'GET', ':path': '/', ...fields })],
    [1, SETTINGS],
  ],
  events,
});
const answers = (name: string, fields: Readonly<Record<string, string>>, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, PREFACE + headers({ ':method': 'GET', ':path': '/' })],
    [1, SETTINGS + headers({ ':status': '206', ...fields })],
  ],
  events,
});

const upgrades = (name: string, settings: string, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, `GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n${settings}\r\n`],
    [1, `HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n${SETTINGS}`],
    [0, PREFACE],
  ],
  events,
});

/** A frame of a stream, or of the connection (0). */
const frame = (type: number, flags: number, id: number, body: string): string =>
  `${String.fromCharCode(body.length >> 16, (body.length >> 8) & 255, body.length & 255, type, flags, 0, 0, 0, id)}${body}`;
const GET = '\x82\x84\x86';
/** A request on stream 1 whose fields end with `more`, and frames behind it. */
const says = (name: string, more: string, behind: string, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, `${PREFACE}${frame(4, 0, 0, '\0\x03\0\0\0\x64')}`],
    [0, frame(1, 5, 1, GET + more) + behind],
  ],
  events,
});
const OK = frame(1, 5, 1, '\x88');
const ends = (name: string, behind: string, ...events: string[]): EventCase => ({
  name,
  said: [[0, PREFACE + frame(1, 5, 1, GET)], [1, SETTINGS + OK + behind]], // prettier-ignore
  events,
});
const PIECE = `\0\x01b\x7f\x80\x7d${'v'.repeat(16_127)}`;

describe('frames of HTTP/2 that are not as they should be', () => {
  testEvents([
    upgrades('an upgrade', 'HTTP2-Settings: AAMAAABkAAQAAP__\r\n'),
    upgrades('an upgrade without settings', ''),
    upgrades('an upgrade with no settings', 'HTTP2-Settings: \r\n'),
    upgrades('settings that are no base64', 'HTTP2-Settings: !!!\r\n', 'invalid_http1_settings'),
    upgrades('half a setting', 'HTTP2-Settings: AAMAAAA=\r\n', 'invalid_http1_settings'),
    says('fields that are known', '', ''),
    says('a field of no table', '\xbf', '', 'invalid_header'),
    says('a field that is cut', '\x40\x05ab', '', 'invalid_frame_data'),
    says('a number of 63 bits', `\xff${'\xff'.repeat(8)}\x01`, '', 'invalid_header'),
    says('a number whose sum overflows', `\x0f${'\xff'.repeat(9)}\x01`, '', 'extra_header_data', 'invalid_header'),
    says('a window', '', frame(8, 0, 0, '\0\0\0\x09')),
    says('a window that is cut', '', frame(8, 0, 0, '\0\0\0'), 'invalid_frame_length'),
    says('a priority that is cut', '', frame(2, 0, 1, '\0\0\0\0'), 'invalid_frame_length'),
    says('a reset that is too long', '', frame(3, 0, 1, '\0\0\0\0\0'), 'invalid_frame_length'),
    says('padding that is not there', '', frame(1, 13, 3, ''), 'invalid_frame_data'),
    says('a short continuation', '', frame(1, 1, 3, GET) + frame(9, 4, 3, '\x86')),
    says('continuations without end', '', frame(1, 1, 3, GET) + frame(9, 0, 3, PIECE).repeat(7), 'reassembly_limit_reached'),
    ends('an answer', ''),
    ends('a reset behind the end', frame(3, 0, 1, '\0\0\0\0')),
    ends('data behind the end', frame(0, 1, 1, 'abc'), 'stream_id_reuse'),
  ]); // prettier-ignore

  it('tells when the oldest of too many streams is given up', () => {
    const open = (streams: number): string =>
      Array.from({ length: streams }, (_, n) => frame(1, 5, 2 * n + 1, GET)).join('');
    const events = (streams: number): string[] =>
      play([[0, PREFACE + open(streams)]], { options: { maxTransactions: 8 } }).transactions.flatMap((tx) => tx.events);
    assert.deepEqual([events(8), events(9)], [[], ['too_many_streams']]);
  });

  it('shows the size that the header table is given', () => {
    const { transactions } = play([[0, PREFACE + frame(1, 5, 1, `\x3f\x45${GET}`)]]);
    assert.equal(transactions.at(-1)?.number('http2.size_update', 0), 100);
  });
});

describe('anomalies of HTTP/2', () => {
  testEvents([
    asks('an authority that is the host', { ':authority': 'a.example', host: 'A.example' }),
    asks(
      'an authority that is not the host',
      { ':authority': 'a.example', host: 'b.example' },
      'authority_host_mismatch',
    ),
    asks('an authority with a user', { ':authority': 'u@a.example' }, 'userinfo_in_uri'),
    answers('a range', { 'content-range': 'bytes 2-4/9' }),
    answers('a range that ends behind', { 'content-range': 'bytes 2-9/5' }, 'invalid_range'),
  ]);
});
