import { describe } from 'node:test';
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
