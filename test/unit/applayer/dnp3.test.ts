import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dnp3Crc } from '../../../src/applayer/dnp3/parser.js';
import { field, play, type Message } from './bench.js';
import { eventsOf } from './events/cases.js';

const PORTS: [number, number] = [40_000, 20_000];
const crc = (d: readonly number[]): number[] => {
  const n = dnp3Crc(Uint8Array.from(d));
  return [n & 255, n >> 8];
};

/** One link frame: control and addresses, then blocks of 16 bytes with their checksums. */
function frame(user: readonly number[], length = user.length + 5): Uint8Array {
  const head = [0x05, 0x64, length, 0xc4, 1, 0, 2, 0];
  const out = [...head, ...crc(head)];
  for (let at = 0; at < user.length; at += 16) {
    const block = user.slice(at, at + 16);
    out.push(...block, ...crc(block));
  }
  return Uint8Array.from(out);
}

const READ = [0xc0, 0xc1, 1, 60, 2, 6];
const RESPONSE = [0xc0, 0xc1, 129, 0x90, 0x01, ...Array.from({ length: 30 }, (_, i) => i)];

describe('DNP3', () => {
  it('has the checksum of the standard', () => {
    assert.deepEqual(crc([0x05, 0x64, 0x05, 0xc0, 0x01, 0x00, 0x00, 0x04]), [0xe9, 0x21]);
  });

  it('reads functions, indications and data, however they are cut', () => {
    const said: Message[] = [[0, frame(READ)], [1, frame(RESPONSE)]]; // prettier-ignore
    for (const cut of [1, 7, 1000]) {
      const [request, answer] = play(said, { ports: PORTS, cut }).transactions;
      assert.equal(request?.number('dnp3.func', 0), 1);
      assert.equal(field(request, 'dnp3.data', 0), Buffer.from(READ.slice(1)).toString('latin1'));
      assert.equal(answer?.number('dnp3.func', 1), 129);
      assert.equal(answer?.number('dnp3.ind', 1), 0x9001);
      assert.equal(field(answer, 'dnp3.data', 1), Buffer.from(RESPONSE.slice(1)).toString('latin1'));
    }
  });

  it('puts segments together', () => {
    const said: Message[] = [[0, frame([0x40, 0xc1, 2])], [0, frame([0x81, 7, 8])]]; // prettier-ignore
    const { transactions } = play(said, { ports: PORTS });
    assert.deepEqual(transactions.map((t) => field(t, 'dnp3.data', 0)), ['\xc1\x02\x07\x08']); // prettier-ignore
  });

  const bad = frame(READ).map((byte, at) => (at === 8 ? byte ^ 1 : byte));
  const worse = frame(READ).map((byte, at) => (at === 12 ? byte ^ 1 : byte));
  for (const [name, said, ...events] of [
    ['a sound frame', frame(READ)],
    ['a wrong checksum of the header', bad, 'bad_link_crc'],
    ['a wrong checksum of a block', worse, 'bad_transport_crc'],
    ['a length that is too small', frame(READ, 4), 'len_too_small'],
  ] as [string, Uint8Array, ...string[]][]) {
    it(`tells ${name}`, () => assert.deepEqual(eventsOf([[0, said]], { ports: PORTS }), events));
  }

  const ask = (...objects: number[]): Uint8Array => frame([0xc0, 0xc1, 1, ...objects]);
  const tell = (...objects: number[]): Uint8Array => frame([0xc0, 0xc1, 129, 0, 0, ...objects]);
  const ANALOGS = [30, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0];
  for (const [name, direction, d, objects, ...events] of [
    ['classes', 0, ask(60, 1, 6, 60, 2, 6), ['60,1', '60,2']],
    ['points that are there', 1, tell(...ANALOGS, 1, 1, 0, 0, 9, 1, 2), ['30,1', '1,1']],
    ['points that are cut', 1, tell(...ANALOGS.slice(0, -1)), ['30,1'], 'unknown_object'],
    [
      'points with an index',
      1,
      tell(12, 1, 0x28, 1, 0, 5, 0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 60, 2, 6),
      ['12,1', '60,2'],
    ],
    ['points with their length', 1, tell(70, 5, 0x5b, 1, 2, 0, 7, 7, 60, 2, 6), ['70,5', '60,2']],
    ['strings as long as their variation', 1, tell(110, 3, 7, 1, 97, 98, 99, 60, 2, 6), ['110,3', '60,2']],
    ['a group that is none', 0, ask(200, 9, 7, 1, 5), ['200,9'], 'unknown_object'],
    ['a range that is reserved', 0, ask(60, 2, 0x0f, 60, 3, 6), ['60,2']],
  ] as [string, 0 | 1, Uint8Array, string[], ...string[]][]) {
    it(`reads objects: ${name}`, () => {
      const [tx] = play([[direction, d]], { ports: PORTS }).transactions;
      const known = [...Array(256).keys()].flatMap((g) => [1, 2, 3, 5, 9].map((v) => `${g},${v}`));
      const found = known.filter((o) => tx?.number(`dnp3.obj=${o}`, direction) === 1);
      assert.deepEqual(found.sort(), [...objects].sort());
      assert.deepEqual(tx?.events, events);
    });
  }

  it('tells a flood when more than 500 messages come before one is looked at', () => {
    const many = (n: number): Uint8Array => Buffer.concat(Array<Uint8Array>(n).fill(frame(READ)));
    assert.deepEqual([500, 501].map((n) => eventsOf([[0, many(n)]], { ports: PORTS })), [[], ['flooded']]); // prettier-ignore
  });
});
