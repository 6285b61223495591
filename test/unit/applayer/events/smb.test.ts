import { describe } from 'node:test';
import type { Message } from '../bench.js';
import * as w from '../wire-smb.js';
import { testEvents, type EventCase } from './cases.js';

const BEGIN: Message[] = [[0, w.negotiate()], [1, w.negotiated(8192, 8192)]]; // prettier-ignore
const OFFER = w.smb1(0x72, [], '\x02NT LM 0.12\0');
const FILE: Message[] = [...BEGIN, [1, w.connected(false)], [0, w.create('a.txt', 3)], [1, w.created(3)]];
const TOO_MUCH = 17 * 1024 * 1024;
const dialects = (name: string, said: string, ...events: string[]): EventCase => ({
  name,
  said: [[0, w.smb1(0x72, [], said)]],
  events,
});
const file = (name: string, more: readonly Message[], ...events: string[]): EventCase => ({
  name,
  said: [...FILE, ...more],
  events,
});
const behindHole = (parts: number): Message[] =>
  Array.from({ length: parts }, (_, n): Message => [0, w.write('x', 10 + 2 * n)]);
/** A message that ends within its NTLMSSP message. */
const login = (blob: string): Uint8Array =>
  w.smb2(1, [25, 0, ...Array<number>(10).fill(0), 88, 0, blob.length, 0, ...Array<number>(8).fill(0), ...Buffer.from(blob, 'latin1')]); // prettier-ignore

describe('anomalies of SMB', () => {
  testEvents([
    dialects('dialects', '\x02NT LM 0.12\0\x02SMB 2.002\0'),
    dialects('a dialect without a name', '\x02NT LM 0.12\0\x02\0', 'negotiate_malformed_dialects'),
    { name: 'dialects twice', said: [[0, OFFER], [0, OFFER]], events: ['duplicate_negotiate'] }, // prettier-ignore
    { name: 'dialects of SMB 1, then of SMB 2', said: [[0, OFFER], ...BEGIN], events: [] },
    file('writes one behind the other', [[0, w.write('one', 0)], [0, w.write('two', 3)]]), // prettier-ignore
    file('a write over another', [[0, w.write('one', 0)], [0, w.write('two', 2)]], 'file_overlap'), // prettier-ignore
    file('a write as long as agreed', [[0, w.write('x'.repeat(8192))]]),
    file('a longer write', [[0, w.write('x'.repeat(8193))]], 'write_request_too_large'),
    file('a read as long as agreed', [[0, w.read(5, 8192)], [1, w.readAnswer(5, 'x'.repeat(8192))]]), // prettier-ignore
    file('a longer read', [[0, w.read(5, 8193)]], 'read_request_too_large'),
    file('a longer answer', [[0, w.read(5)], [1, w.readAnswer(5, 'x'.repeat(8193))]], 'read_response_too_large'), // prettier-ignore
    file('64 parts behind a hole', behindHole(64)),
    file('more parts behind a hole', behindHole(65), 'write_queue_cnt_exceeded'),
    file('an answer of the client', [[0, w.readAnswer(5, 'x')]], 'response_to_server'),
    file('a request of the server', [[1, w.read(5)]], 'request_to_client'),
    file('what is no SMB', [[0, `\0\0\0\x28${'x'.repeat(40)}`]], 'malformed_data'),
    file('a header that is cut', [[0, `\0\0\0\x28\xfeSMB${'x'.repeat(36)}`]], 'malformed_data'),
    file('an NTLMSSP message of another type', [[0, login(`NTLMSSP\0\x01\0\0\0${'x'.repeat(20)}`)]]),
    file('an NTLMSSP message that is cut', [[0, login('NTLMSSP\0\x03\0\0\0xx')]], 'malformed_ntlmssp_request'),
    {
      name: 'a server that offers too much',
      said: [[0, w.negotiate()], [1, w.negotiated(TOO_MUCH, TOO_MUCH)]], // prettier-ignore
      events: ['negotiate_max_read_size_too_large', 'negotiate_max_write_size_too_large'],
    },
  ], { ports: [40_000, 445] }); // prettier-ignore
});
