import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAppLayer } from '../../../../src/applayer/index.js';
import { bytes, type Message } from '../bench.js';
import { clientHello, serverHello } from './wire-tls.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const HELLO = clientHello();
const MAIL: Message[] = [[1, '220 mail ESMTP\r\n'], [0, 'EHLO a\r\n'], [1, '250 ok\r\n'], [0, 'STARTTLS\r\n'], [1, '220 go\r\n']]; // prettier-ignore
const UPGRADE: Message[] = [
  [0, 'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
  [1, 'HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
];
const ONE = 'applayer_detect_protocol_only_one_direction';
const MISMATCH = 'applayer_mismatch_protocol_both_directions';
const UNEXPECTED = 'applayer_unexpected_protocol';

/** What each direction was found to speak, and what was odd. */
function spokenIn(said: readonly Message[], transport: 'tcp' | 'udp' = 'tcp'): unknown[] {
  const flow = createAppLayer().createFlow(transport, { srcPort: 40_000, dstPort: 12_345 });
  const at = [0, 0];
  for (const [direction, message] of said) {
    const all = bytes(message);
    for (let from = 0; from < all.length; from += 1400) {
      const piece = all.slice(from, from + 1400);
      flow.sides.settle(direction);
      flow.onData(direction, piece, 0, piece.length, at[direction]!, 1);
      at[direction]! += piece.length;
    }
  }
  return [...flow.sides.known, ...new Set(flow.sides.take())];
}

describe('what the directions of a connection speak', () => {
  const cases: [string, Message[], ...unknown[]][] = [
    ['HTTP', [[0, GET], [1, OK]], 'http', 'http'],
    ['HTTP without an answer', [[0, GET]], 'http', undefined],
    ['HTTP with some bytes for an answer', [[0, GET], [1, 'ab']], 'http', undefined],
    ['HTTP answered with something else', [[0, GET], [1, 'abcdefgh']], 'http', 'failed', ONE],
    ['a method that is not known', [[0, 'FOO /abcdefgh HTTP/1.1\r\n\r\n'], [1, OK]], 'failed', 'http', ONE],
    ['SMTP, whose server is not known by its words', MAIL.slice(0, 3), 'smtp', 'failed', ONE],
    ['FTP', [[1, '220 (x)\r\n'], [0, 'USER a\r\n']], 'ftp', 'ftp'],
    ['FTP of another server', [[1, '220 FTP at your service\r\n'], [0, 'USER a\r\n']], 'ftp', 'failed', ONE],
    ['TLS', [[0, HELLO], [1, serverHello()]], 'tls', 'tls'],
    ['TLS whose server speaks first', [[1, serverHello()], [0, HELLO]], 'tls', 'tls', 'applayer_wrong_direction_first_data'],
    ['TLS answered in HTTP', [[0, HELLO], [1, OK]], 'tls', 'http', MISMATCH],
    ['HTTP answered in SSH', [[0, GET], [1, 'SSH-2.0-a\r\n']], 'http', 'ssh', MISMATCH],
    ['noise', [[0, 'x'.repeat(50)], [1, 'y'.repeat(50)]], 'failed', 'failed'],
    ['noise of one side', [[0, 'x'.repeat(50)]], undefined, undefined],
    ['much noise of one side', [[0, 'x'.repeat(101_000)]], 'failed', 'failed', 'applayer_proto_detection_skipped'],
    ['TLS behind STARTTLS', [...MAIL, [0, HELLO], [1, serverHello()]], 'tls', 'tls', ONE],
    ['HTTP behind STARTTLS', [...MAIL, [0, GET], [1, OK]], 'http', 'http', ONE, UNEXPECTED, 'applayer_no_tls_after_starttls'],
    ['HTTP/1 behind an upgrade to HTTP/2', [...UPGRADE, [0, GET], [1, OK]], 'http', 'http', UNEXPECTED],
  ]; // prettier-ignore
  for (const [name, said, ...expected] of cases) it(name, () => assert.deepEqual(spokenIn(said), expected));

  it('datagrams are judged one by one', () => {
    assert.deepEqual(spokenIn([[0, 'noise noise noise']], 'udp'), ['failed', undefined]);
    const query = '\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x01a\x03com\0\0\x01\0\x01';
    assert.deepEqual(spokenIn([[0, query]], 'udp'), ['dns', 'dns']);
  });

  it('counts for rules about packets from the next packet on, and once for those that ask for nothing else', () => {
    const { sides } = createAppLayer().createFlow('tcp', { srcPort: 40_000, dstPort: 80 });
    sides.settle(0);
    sides.set('http');
    assert.deepEqual([sides.settled[0], sides.isFirst], [undefined, false]);
    for (const [direction, isFirst] of [
      [1, true],
      [0, true],
      [0, false],
      [1, false],
    ] as const) {
      // prettier-ignore
      sides.settle(direction);
      assert.deepEqual([sides.settled[direction], sides.isFirst], ['http', isFirst]);
    }
  });
});
