import { describe } from 'node:test';
import type { Message } from '../bench.js';
import { testEvents, type EventCase } from './cases.js';

const u16 = (n: number): string => String.fromCharCode(n >> 8, n & 255);
const NAME = '\x01a\x03com\0';
const ASKS = '\0\x01\0\x01';
const query = (flags = '\x01\0', body = NAME + ASKS): string => `\x12\x34${flags}\0\x01\0\0\0\0\0\0${body}`;
const answer = (flags = '\x81\x80', record = '\xc0\x0c'): string =>
  `\x12\x34${flags}\0\x01\0\x01\0\0\0\0${NAME}${ASKS}${record}\0\x01\0\x01\0\0\0\x01\0\x04\x01\x02\x03\x04`;
const framed = (message: string): string => u16(message.length) + message;
const say = (name: string, said: readonly Message[], ...events: string[]): EventCase => ({ name, said, events });
const LONG = ('\x3f' + 'a'.repeat(63)).repeat(20);

describe('anomalies of DNS over UDP', () => {
  const udp = { transport: 'udp' } as const;
  testEvents(
    [
      say('a query and its answer', [[0, query()], [1, answer()]]), // prettier-ignore
      say('the reserved bit', [[0, query()], [1, answer('\x81\xc0')]], 'z_flag_set'), // prettier-ignore
      say('an operation that is none', [[0, query()], [0, query('\x38\0')]], 'invalid_opcode'), // prettier-ignore
      say('the last operation', [[0, query('\x30\0')]]),
      say('a name that is too long', [[0, query()], [0, query('\x01\0', `${LONG}\0${ASKS}`)]], 'name_too_long'), // prettier-ignore
      say(
        'a name that points to itself behind a pointer',
        [[1, answer('\x81\x80', '\xc0\x19\xc0\x19')]],
        'infinite_loop',
      ),
      say('two names that point to each other', [[1, answer('\x81\x80', '\xc0\x19\xc0\x17')]], 'too_many_labels'),
      say('a message that is cut, which Suricata leaves out', [[0, query()], [0, query().slice(0, -3)]]), // prettier-ignore
    ],
    udp,
  );
});

describe('anomalies of DNS over TCP', () => {
  testEvents([
    say('a query and its answer', [[0, framed(query())], [1, framed(answer())]]), // prettier-ignore
    say('an answer from the client', [[0, framed(query())], [0, framed(answer())]], 'not_request'), // prettier-ignore
    say('a query from the server', [[0, framed(query())], [1, framed(query())]], 'not_response'), // prettier-ignore
    say('a cut message behind another', [[0, framed(query()) + framed(query().slice(0, -3))]], 'malformed_data'),
  ]);
});

describe('anomalies of SSH', () => {
  const packet = '\0\0\0\x0c\x04\x15hellopppp\0';
  testEvents([
    say('banners', [[1, 'SSH-2.0-a\r\n'], [0, 'SSH-2.0-b\r\n']]), // prettier-ignore
    say('a banner without software', [[1, 'SSH-2.0-a\r\n'], [0, 'SSH-2.0\r\n']], 'invalid_banner'), // prettier-ignore
    say('a line before the banner', [[0, 'SSH-2.0-b\r\n'], [1, 'hello\r\nSSH-2.0-a\r\n']], 'invalid_banner'), // prettier-ignore
    say('a long banner', [[1, `SSH-2.0-${'a'.repeat(300)}\r\n`]], 'long_banner'),
    say('a banner as long as may be', [[1, `SSH-2.0-${'a'.repeat(245)}\r\n`]]),
    say('a packet without a byte', [[0, 'SSH-2.0-b\r\n\0\0\0\x01\0\x14']], 'invalid_record'),
    say('a packet', [[0, `SSH-2.0-b\r\n${packet}`]]),
  ]);
});

describe('anomalies of FTP', () => {
  const begin: Message[] = [[1, '220 (x)\r\n'], [0, 'USER a\r\n'], [1, '331 p\r\n']]; // prettier-ignore
  testEvents([
    say('a session', begin),
    say('a long command', [...begin, [0, `PASS ${'a'.repeat(5000)}\r\n`]], 'request_command_too_long'),
    say('a command as long as may be', [...begin, [0, `PASS ${'a'.repeat(4000)}\r\n`]]),
    say('a long reply', [...begin, [0, 'PASS a\r\n'], [1, `230 ${'a'.repeat(5000)}\r\n`]], 'response_command_too_long'),
  ]);
});
