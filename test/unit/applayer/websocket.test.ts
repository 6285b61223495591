import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import type { AppFlow } from '../../../src/applayer/index.js';
import { bytes, fieldOf, openFlow, play, type Said } from './talk.js';
import { be16, be32, join } from './wire.js';

const ASK: Said = ['C', 'GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'];
const agree = (to: string): string =>
  `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${to}\r\nConnection: Upgrade\r\n\r\n`;
const AGREED: Said[] = [ASK, ['S', agree('WebSocket')]];

const TEXT = 0x81;
const PING = 0x89;
/** A frame; of a client when it is masked. */
function frame(first: number, payload: string | Uint8Array, mask?: readonly number[]): Uint8Array {
  const data = bytes(payload);
  const length = data.length < 126 ? [data.length] : [126, ...be16(data.length)];
  if (mask === undefined) return join(first, length, data);
  return join(
    first,
    [length[0]! | 0x80, ...length.slice(1)],
    mask,
    Uint8Array.from(data, (b, i) => b ^ mask[i % 4]!),
  );
}
const payloads = (flow: AppFlow, direction: 0 | 1): string[] =>
  fieldOf(flow.transactions, 'websocket.payload', direction);

describe('WebSocket', () => {
  for (const size of [Infinity, 5, 1]) {
    it(`is read behind the upgrade of a connection in pieces of ${size} bytes`, () => {
      const said: Said[] = [...AGREED, ['S', frame(PING, 'are you there')], ['C', frame(TEXT, 'swordfish'.repeat(20), [1, 2, 3, 255])], ['C', frame(0x8a, '', [0, 0, 0, 0])]]; // prettier-ignore
      const flow = play(openFlow(), said, size);
      assert.equal(flow.proto, 'websocket');
      assert.deepEqual(payloads(flow, 1), ['are you there']);
      assert.deepEqual(payloads(flow, 0), ['swordfish'.repeat(20)]);
      const [ping, text, pong] = flow.transactions.filter((tx) => tx.proto === 'websocket');
      const facts = [ping!, text!, pong!].map((tx) => ['opcode', 'flags', 'mask'].map((name) => tx.number(`websocket.${name}`, tx.side))); // prettier-ignore
      assert.deepEqual(facts, [[9, 0x80, undefined], [1, 0x80, 0x010203ff], [10, 0x80, 0]]); // prettier-ignore
    });
  }

  it('puts messages together, with other frames between', () => {
    const flow = play(openFlow(), [...AGREED, ['S', join(frame(1, 'sword'), frame(PING, 'x'), frame(0, 'fi'), frame(0x80, 'sh'))]]); // prettier-ignore
    assert.deepEqual(payloads(flow, 1), ['sword', 'x', 'fi', 'swordfish']);
  });

  it('unpacks messages, also in several frames', () => {
    const packed = deflateRawSync('swordfish swordfish', { finishFlush: 2 }).subarray(0, -4);
    const whole = frame(0xc1, packed);
    const halves = join(frame(0x41, packed.subarray(0, 4)), frame(0x80, packed.subarray(4)));
    assert.deepEqual(payloads(play(openFlow(), [...AGREED, ['S', whole]]), 1), ['swordfish swordfish']);
    assert.equal(payloads(play(openFlow(), [...AGREED, ['S', halves]]), 1).at(-1), 'swordfish swordfish');
    assert.deepEqual(payloads(play(openFlow(), [...AGREED, ['S', frame(0xc1, 'not packed')]]), 1), ['not packed']);
  });

  it('unpacks messages that go on with the window of those before them', () => {
    const window = 'swordfish and marlin';
    const first = deflateRawSync(window, { finishFlush: 2 }).subarray(0, -4);
    const second = deflateRawSync(window, { finishFlush: 2, dictionary: Buffer.from(window) }).subarray(0, -4);
    assert.ok(second.length < first.length / 2);
    const said: Said[] = [...AGREED, ['S', join(frame(0xc1, first), frame(PING, 'x'), frame(0xc1, second), frame(0xc1, second))]]; // prettier-ignore
    assert.deepEqual(payloads(play(openFlow(), said), 1), [window, 'x', window, window]);
    const alone = payloads(play(openFlow(), [...AGREED, ['S', frame(0xc1, second)]]), 1);
    assert.notDeepEqual(alone, [window]);
  });

  it('unpacks the beginning of a message that is large unpacked, and of one that is broken further on', () => {
    const packed = deflateRawSync('swordfish'.repeat(1_000_000), { finishFlush: 2 }).subarray(0, -4);
    const [large] = payloads(play(openFlow(), [...AGREED, ['S', frame(0xc1, packed)]]), 1);
    assert.equal(large, 'swordfish'.repeat(1_000_000).slice(0, 65_536));
    const cut = deflateRawSync('swordfish and more', { finishFlush: 2 }).subarray(0, -4);
    const broken = join(cut, [0x12, 0x34]);
    assert.deepEqual(payloads(play(openFlow(), [...AGREED, ['S', frame(0xc1, broken)]]), 1), ['swordfish and more']);
  });

  it('keeps the beginning of a long message, and goes on behind it', () => {
    const long = join(0x81, 127, be32(0), be32(100_000), new Uint8Array(100_000).fill(65));
    const flow = play(openFlow(), [...AGREED, ['S', join(long, frame(TEXT, 'next'))]], 9000);
    const [first, next] = payloads(flow, 1);
    assert.equal(first!.length, 65_526);
    assert.equal(next, 'next');
    assert.deepEqual(flow.transactions.at(-2)!.events, ['skip_end_of_payload']);
  });

  it('tells a message of which not all is kept', () => {
    const part = (first: number): Uint8Array => frame(first, 'A'.repeat(40_000));
    const flow = play(openFlow(), [...AGREED, ['S', join(part(1), part(0x80))]]);
    assert.equal(payloads(flow, 1)[1]!.length, 65_536);
    assert.deepEqual(flow.transactions.at(-1)!.events, ['reassembly_limit_reached']);
  });

  it('is not what follows another upgrade, or a refusal', () => {
    for (const answer of [agree('tls/1.0'), agree('constructor'), 'HTTP/1.1 400 No\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n'])
      assert.notEqual(play(openFlow(), [ASK, ['S', answer], ['S', frame(TEXT, 'swordfish')]]).proto, 'websocket');
  }); // prettier-ignore

  it('knows who is the client when the server was heard first', () => {
    const flow = play(openFlow(), [
      ['C', agree('websocket')],
      ['C', frame(TEXT, 'from the server')],
    ]);
    assert.deepEqual([flow.proto, flow.isReversed], ['websocket', true]);
    assert.deepEqual(payloads(flow, 1), ['from the server']);
  });
});
