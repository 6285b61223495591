import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldOf, openFlow, play, type Said } from './talk.js';

const text = (t: string): number[] => [t.length >> 8, t.length & 255, ...Buffer.from(t)];
function packet(type: number, flags: number, body: readonly number[]): Uint8Array {
  const length: number[] = [];
  for (let n = body.length; ; n >>= 7) {
    length.push((n & 127) | (n > 127 ? 128 : 0));
    if (n < 128) break;
  }
  return Uint8Array.from([(type << 4) | flags, ...length, ...body]);
}
const connect = packet(1, 0, [...text('MQTT'), 4, 0xc2, 0, 60, ...text('client-1'), ...text('ada'), ...text('secret')]);
const connack = packet(2, 0, [0, 0]);
const publish = (topic: string, message: string, qos = 0): Uint8Array =>
  packet(3, qos << 1, [...text(topic), ...(qos > 0 ? [0, 9] : []), ...Buffer.from(message)]);

for (const size of [Infinity, 3, 1]) {
  test(`MQTT is read in pieces of ${size} bytes`, () => {
    const said: Said[] = [
      ['C', connect],
      ['S', connack],
      ['C', packet(8, 2, [0, 5, ...text('a/#'), 0, ...text('b'), 1])],
      ['S', packet(9, 0, [0, 5, 0, 1])],
      ['C', publish('a/b', 'x'.repeat(300), 1)],
      ['S', packet(4, 0, [0, 9])],
      ['C', packet(14, 0, [])],
    ];
    const flow = play(openFlow(), said, size);
    assert.equal(flow.proto, 'mqtt');
    const field = (name: string): string[] => fieldOf(flow.transactions, name, 0);
    assert.deepEqual(field('mqtt.connect.clientid'), ['client-1']);
    assert.deepEqual(field('mqtt.connect.username'), ['ada']);
    assert.deepEqual(field('mqtt.connect.password'), ['secret']);
    assert.deepEqual(field('mqtt.subscribe.topic'), ['a/#', 'b']);
    assert.deepEqual(field('mqtt.publish.topic'), ['a/b']);
    assert.deepEqual(field('mqtt.publish.message'), ['x'.repeat(300)]);
    assert.equal(flow.transactions.length, 4);
    assert.deepEqual(
      flow.transactions.flatMap((tx) => tx.events),
      [],
    );
    assert.equal(flow.transactions[0]!.number('mqtt.type.2', 0), 1);
  });
}

for (const [name, said, event] of [
  [
    'an answer to nothing',
    [
      ['C', connect],
      ['S', connack],
      ['S', packet(4, 0, [0, 1])],
    ],
    'missing_publish',
  ],
  [
    'a second connect',
    [
      ['C', connect],
      ['S', connack],
      ['C', connect],
    ],
    'double_connect',
  ],
  [
    'a message before the connect is answered',
    [
      ['C', connect],
      ['C', publish('a', 'b')],
    ],
    'unintroduced_message',
  ],
  [
    'an impossible quality of service',
    [
      ['C', connect],
      ['S', connack],
      ['C', packet(3, 6, [...text('a'), 0, 1])],
    ],
    'invalid_qos_level',
  ],
] as [string, Said[], string][]) {
  // prettier-ignore
  test(`${name} is told`, () => {
    const flow = play(openFlow(), said);
    assert.ok(flow.transactions.some((tx) => tx.events.includes(event)));
  });
}

test('a connect that is sent again before it is answered is not told', () => {
  const { transactions } = play(openFlow(), [['C', connect], ['C', connect], ['S', connack]]); // prettier-ignore
  assert.deepEqual(transactions.flatMap((tx) => tx.events), []); // prettier-ignore
});

test('a message that is too large is let through and the next one is read', () => {
  const flow = play(openFlow(), [['C', connect], ['S', connack], ['C', publish('big', 'x'.repeat(200_000))], ['C', publish('next', 'y')]], 1400); // prettier-ignore
  assert.deepEqual(fieldOf(flow.transactions, 'mqtt.publish.topic', 0), ['big', 'next']);
});
