import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { play } from './bench.js';
import { le16, le32 } from './wire.js';

const PORTS: [number, number] = [40_000, 44_818];
const REGISTER = 0x65;
const SEND_RR_DATA = 0x6f;
const SEND_UNIT_DATA = 0x70;

function packet(command: number, body: readonly number[]): Uint8Array {
  const head = [
    ...le16(command),
    ...le16(body.length),
    ...le32(7),
    ...le32(0),
    ...Array<number>(8).fill(0),
    ...le32(0),
  ];
  return Uint8Array.from([...head, ...body]);
}
/** A request of CIP by itself, or of a connection, which has a number before it. */
const unconnected = (cip: readonly number[]): Uint8Array =>
  packet(SEND_RR_DATA, [...le32(0), ...le16(0), ...le16(2), 0, 0, 0, 0, 0xb2, 0, ...le16(cip.length), ...cip]);
const connected = (cip: readonly number[]): Uint8Array =>
  packet(SEND_UNIT_DATA, [...le32(0), ...le16(0), ...le16(2), 0xa1, 0, 4, 0, ...le32(9), 0xb1, 0, ...le16(cip.length + 2), 1, 0, ...cip]); // prettier-ignore

const GET = [0x0e, 3, 0x20, 1, 0x24, 1, 0x30, 7];
const KEYS = ['10', '1', '3', '14', '14,1', '14,1,7', '14,1,8', '14,2', '3,1', '3,1,2', '3,258,2'];
const servicesOf = (d: Uint8Array): string[] => {
  const [tx] = play([[0, d]], { ports: PORTS }).transactions;
  return KEYS.filter((key) => tx?.number(`cip.service=${key}`, 0) === 1);
};

describe('EtherNet/IP', () => {
  it('reads commands of both sides, however they are cut', () => {
    for (const cut of [1, 1000]) {
      const flow = play([[0, packet(REGISTER, [1, 0, 0, 0])], [1, packet(REGISTER, [1, 0, 0, 0])]], { ports: PORTS, cut }); // prettier-ignore
      assert.equal(flow.proto, 'enip');
      assert.deepEqual(flow.transactions.map((tx) => [tx.number('enip.command', 0), tx.number('enip.command', 1)]), [[REGISTER, undefined], [undefined, REGISTER]]); // prettier-ignore
    }
  });

  it('is looked for at its port, and needs a command that is known', () => {
    assert.equal(play([[0, packet(REGISTER, [])]], { ports: [40_000, 44_819] }).proto, undefined);
    assert.equal(play([[0, packet(0x99, [])]], { ports: PORTS }).proto, undefined);
  });

  for (const [name, d, services] of [
    ['a service with class and attribute', unconnected(GET), ['14', '14,1', '14,1,7']],
    ['the same in a connection', connected(GET), ['14', '14,1', '14,1,7']],
    ['another class', unconnected([0x0e, 2, 0x20, 2, 0x24, 1]), ['14', '14,2']],
    ['a list of attributes', unconnected([3, 2, 0x20, 1, 0x24, 1, 2, 0, 1, 0, 2, 0]), ['3', '3,1', '3,1,2']],
    ['a class of two bytes', unconnected([3, 3, 0x21, 0, 2, 1, 0x24, 1, 1, 0, 2, 0]), ['3', '3,258,2']],
    ['a service of which the class does not count', unconnected([1, 2, 0x20, 1, 0x24, 1]), ['1']],
    ['several services in one', unconnected([10, 2, 0x20, 2, 0x24, 1, 2, 0, 6, 0, 12, 0, 1, 2, 0x20, 1, 0x24, 1, ...GET]), ['10', '1', '14', '14,1', '14,1,7']],
    ['several services that lie in themselves', unconnected([10, 0, 2, 0, 0, 0, 0, 0]), ['10']],
    ['an answer', unconnected([0x8e, 0, 0, 0, 1, 2]), []],
  ] as [string, Uint8Array, string[]][]) {
    it(`reads ${name}`, () => assert.deepEqual(servicesOf(d), services));
  } // prettier-ignore
});
