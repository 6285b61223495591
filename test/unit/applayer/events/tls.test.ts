import { describe } from 'node:test';
import type { Message } from '../bench.js';
import { testEvents, type EventCase } from './cases.js';
import { certificateOf, certificates, clientHello, der, handshake, record, serverHello, serverName, type CertificateParts } from './wire-tls.js'; // prettier-ignore

const HELLO = clientHello();
const ANSWER = serverHello();
const ENCRYPTED = record(20, '\x01') + record(22, 'x'.repeat(40));
const asks = (name: string, hello: string, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, hello],
    [1, ANSWER],
  ],
  events,
});
const answers = (name: string, answer: string, ...events: string[]): EventCase => ({
  name,
  said: [
    [0, HELLO],
    [1, answer],
  ],
  events,
});
const after = (name: string, said: readonly Message[], ...events: string[]): EventCase => ({
  name,
  said: [[0, HELLO], [1, ANSWER], ...said],
  events,
});
const SSL2_HELLO = `\x80\x1c\x01\0\x02\0\x03\0\0\0\x10\x01\0\x80${'c'.repeat(16)}`;
const SSL2_ANSWER = `\x04\0\x01\0\x02\0\0\0\0\0\x10${'i'.repeat(16)}`;
const ssl2 = (name: string, answer: string, ...events: string[]): EventCase => ({
  name,
  said: [[0, SSL2_HELLO], [1, answer]], // prettier-ignore
  events,
});
const shows = (name: string, parts: CertificateParts, ...events: string[]): EventCase =>
  answers(name, ANSWER + certificates(certificateOf(parts)), ...events);
const beat = (payload: string, claimed = payload.length, type = 1, padding = 16): string =>
  record(24, `${String.fromCharCode(type, claimed >> 8, claimed & 255)}${payload}${'p'.repeat(padding)}`);
const other = der(4, 'x');

describe('anomalies of TLS records and hellos', () => {
  testEvents([
    asks('a hello with a name', clientHello(serverName('a.b'))),
    asks('a name of another type', clientHello(serverName('a.b', 1)), 'invalid_sni_type'),
    asks('two names', clientHello(serverName('a.b') + serverName('c.d')), 'multiple_sni_extensions'),
    asks('a name longer than its extension', clientHello(serverName('abc', 0, 9)), 'invalid_sni_length'),
    asks('an extension longer than the hello', clientHello('\0\x0b\0\x09\0'), 'handshake_invalid_length'),
    asks('half a hello', record(22, handshake(1, '\x03\x03RRRR')), 'handshake_invalid_length'),
    answers('an unknown message', record(22, handshake(77, 'abc')), 'invalid_handshake_message'),
    answers('an unknown record', `${ANSWER}${record(30, 'abc')}`, 'invalid_record_type'),
    answers('an unknown version', record(22, handshake(2, 'abc'), '\x07\x03'), 'invalid_record_version'),
    answers('an unknown minor version', record(22, handshake(2, 'abc'), '\x03\x09'), 'invalid_record_version'),
    answers('an alert', record(21, '\x02\x28')),
    asks('a hello of SSLv2 that is too short', '\x80\x05\x01\0\x02\0\x03', 'invalid_ssl_record'),
    asks('a hello of SSLv2', SSL2_HELLO),
    answers('an unknown record of an unknown version', record(30, 'abc', '\x07\x03'), 'invalid_record_type'),
    answers('what is no record', '\x01 is not TLS', 'invalid_record_type'),
    ssl2('an error of SSLv2', '\x80\x03\0\0\x01', 'error_message_encountered'),
    ssl2('an error behind a hello of SSLv2', `\x80\x1b${SSL2_ANSWER}\x80\x03\0\0\x01`, 'error_message_encountered'),
    ssl2('a padded error', '\x40\x08\x05\0\0\x01xxxxx', 'error_message_encountered'),
    ssl2('an answer of SSLv2', `\x80\x1b${SSL2_ANSWER}`),
    ssl2('a record of SSLv2 without a length', '\x80\0\0\0\x01', 'invalid_ssl_record', 'invalid_sslv2_header'),
    ssl2('a record behind SSLv2', record(30, 'abc'), 'invalid_record_type'),
    answers('records without end', ANSWER + record(21, '').repeat(300), 'too_many_records_in_packet'),
    answers('many records', ANSWER + record(21, '').repeat(200)),
  ]);
});

describe('anomalies of TLS heartbeats', () => {
  testEvents([
    after('a request and its answer', [[0, beat('abc')], [1, beat('abc', 3, 2)]]), // prettier-ignore
    after('Heartbleed', [[0, record(24, '\x01\x40\0')]], 'overflow_heartbeat_message'),
    after('an unknown type', [[0, beat('abc', 3, 5)]], 'invalid_heartbeat_message'),
    after('too little padding', [[0, beat('abc', 3, 1, 5)]], 'invalid_heartbeat_message'),
    after('two requests at once', [[0, beat('abc') + beat('abc')]], 'invalid_heartbeat_message'),
    after(
      'Heartbleed within encryption',
      [[1, ENCRYPTED], [0, ENCRYPTED + record(24, 'x'.repeat(50))], [1, record(24, 'x'.repeat(90))]], // prettier-ignore
      'dataleak_heartbeat_mismatch',
    ),
    after('an answer as long as the request', [[1, ENCRYPTED], [0, ENCRYPTED + record(24, 'x'.repeat(50))], [1, record(24, 'x'.repeat(50))]]), // prettier-ignore
  ]);
});

describe('anomalies of certificates', () => {
  testEvents([
    shows('a sound one', {}),
    shows('extensions', { extensions: der(0xa3, der(0x30, '')) }),
    answers('none', ANSWER + certificates('junkjunk'), 'invalid_certificate'),
    answers('one that is cut', ANSWER + certificates(certificateOf().slice(0, -10)), 'invalid_certificate'),
    shows('a version that is no number', { version: der(0xa0, other) }, 'certificate_invalid_version'),
    shows('a serial that is no number', { serial: other }, 'certificate_invalid_serial'),
    shows('an algorithm that is none', { algorithm: other }, 'certificate_invalid_der'),
    shows('an issuer that is none', { issuer: other }, 'certificate_invalid_der'),
    shows('a validity that is none', { dates: other }, 'certificate_invalid_der'),
    shows(
      'a date that is none',
      { dates: der(0x30, der(0x17, 'xx0101000000Z') + der(0x17, '300101000000Z')) },
      'certificate_invalid_date',
    ),
    shows('a date of another type', { dates: der(0x30, other + other) }, 'certificate_invalid_date'),
    shows('a subject that is none', { subject: other }, 'certificate_invalid_der'),
    shows('a key that is none', { key: other }, 'certificate_invalid_der'),
    shows('extensions that are none', { extensions: der(0xa3, other) }, 'certificate_invalid_der'),
    shows('no signature', { end: '' }, 'certificate_invalid_length'),
  ]);
});
