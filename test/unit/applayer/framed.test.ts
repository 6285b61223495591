import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAppLayer } from '../../../src/applayer/index.js';
import { openFlow, play, type Said } from './talk.js';
import { be16, be32, join, le16, le32, text } from './wire.js';

const ENDS = { src: '192.0.2.1', srcPort: 40_000, dst: '198.51.100.2', dstPort: 502 };

test('Modbus: 501 requests that nobody answers are a flood, which is told once; 500 are not', () => {
  for (const [count, floods] of [[500, 0], [501, 1], [510, 1]] as const) {
    const requests = Array.from({ length: count }, (_, i): Said => ['C', join(be16(i + 1), be16(0), be16(6), 7, 3, be16(100), be16(2))]);
    const flow = play(openFlow(createAppLayer({}), ENDS), requests, Infinity, false);
    assert.equal(flow.transactions.filter((tx) => tx.events.includes('flooded')).length, floods, `${count} requests`);
  }
}); // prettier-ignore

describe('DCE/RPC', () => {
  const UUID = '4b324fc8-1670-01d3-1278-5a47bf6ee188';
  const uuid = Buffer.from('c84f324b7016d30112785a47bf6ee188', 'hex');
  const packet = (type: number, flags: number, id: number, ...body: Parameters<typeof join>): Uint8Array => {
    const d = join(...body);
    return join(5, 0, type, flags, 0x10, 0, 0, 0, le16(16 + d.length), le16(0), le32(id), d);
  };
  const bind = packet(11, 3, 1, le16(4096), le16(4096), le32(0), 1, 0, 0, 0, le16(0), 1, 0, uuid, le32(3), new Uint8Array(20)); // prettier-ignore
  const request = (flags: number, stub: string): Uint8Array =>
    packet(0, flags, 2, le32(stub.length), le16(0), le16(15), stub);
  const response = packet(2, 3, 2, le32(4), le16(0), le16(0), 'done');

  for (const size of [Infinity, 5]) {
    test(`a call in two fragments is one, in pieces of ${size} bytes`, () => {
      const said: Said[] = [['C', bind], ['C', request(1, 'first ')], ['C', request(2, 'second')], ['S', response]]; // prettier-ignore
      const flow = play(openFlow(), said, size);
      assert.equal(flow.proto, 'dcerpc');
      const [call] = flow.transactions;
      assert.equal(flow.transactions.length, 1);
      assert.equal(call!.number('dcerpc.opnum', 0), 15);
      assert.equal(call!.number(`dcerpc.iface=${UUID}`, 0), 3);
      assert.equal(text(call, 'dcerpc.stub_data', 0), 'first second');
      assert.equal(text(call, 'dcerpc.stub_data', 1), 'done');
    });
  }
});

describe('Modbus', () => {
  const message = (id: number, ...body: Parameters<typeof join>): Uint8Array => {
    const d = join(...body);
    return join(be16(id), be16(0), be16(d.length), d);
  };

  test('what a request reads or writes is known', () => {
    const said: Said[] = [
      ['C', message(1, 7, 3, be16(100), be16(2))],
      ['S', message(1, 7, 3, 4, be16(1), be16(2))],
      ['C', message(2, 7, 6, be16(9), be16(1234))],
      ['S', message(2, 7, 0x86, 2)],
    ];
    const flow = play(openFlow(createAppLayer({}), ENDS), said, 4);
    assert.equal(flow.proto, 'modbus');
    const [read, write] = flow.transactions;
    const of = (tx: typeof read, name: string): number | undefined => tx!.number(`modbus.${name}`, 0);
    assert.deepEqual(
      [of(read, 'unit'), of(read, 'function'), of(read, 'address'), of(read, 'access&1')],
      [7, 3, 100, 1],
    );
    assert.deepEqual([of(write, 'access&2'), of(write, 'table'), of(write, 'value'), of(write, 'exception')], [1, 8, 1234, 2]); // prettier-ignore
    assert.deepEqual([...read!.events, ...write!.events], []);
  });

  for (const [name, said, event] of [
    [
      'an answer to nothing',
      [
        ['C', message(1, 1, 3, be16(0), be16(1))],
        ['S', message(9, 1, 3, 2, be16(0))],
      ],
      'unsolicited_response',
    ],
    ['a function that does not exist', [['C', message(1, 1, 200, 1)]], 'invalid_function_code'],
    ['an impossible number of items', [['C', message(1, 1, 3, be16(0), be16(5000))]], 'invalid_value'],
    [
      'an answer to another function',
      [
        ['C', message(1, 1, 3, be16(0), be16(1))],
        ['S', message(1, 1, 4, 2, be16(0))],
      ],
      'value_mismatch',
    ],
  ] as [string, Said[], string][]) {
    // prettier-ignore
    test(`${name} is told`, () => {
      const flow = play(openFlow(createAppLayer({}), ENDS), said);
      assert.ok(flow.transactions.some((tx) => tx.events.includes(event)));
    });
  }
});

test('RFB: a choice before there is one is told', () => {
  const events = (...said: Said[]): string[] => play(openFlow(), said).transactions.flatMap((tx) => tx.events);
  const [server, client]: Said[] = [['S', 'RFB 003.008\n'], ['C', 'RFB 003.008\n']]; // prettier-ignore
  assert.deepEqual(events(server!, client!, ['C', '\x01']), ['confused_state']);
  assert.deepEqual(events(server!, client!, ['S', '\x01\x01'], ['C', '\x01']), []);
});

test('the handshake of RFB is followed to the name of the desktop', () => {
  const said: Said[] = [
    ['S', 'RFB 003.008\n'],
    ['C', 'RFB 003.008\n'],
    ['S', join(2, 1, 2)],
    ['C', join(2)],
    ['S', 'challenge-16-byt'],
    ['C', 'response-16-byte'],
    ['S', join(be32(0))],
    ['C', join(1)],
    ['S', join(be16(800), be16(600), new Uint8Array(16), be32(4), 'desk')],
  ];
  const [tx] = play(openFlow(), said, 3).transactions;
  assert.equal(tx!.number('rfb.sectype', 0), 2);
  assert.equal(tx!.number('rfb.secresult', 1), 0);
  assert.equal(text(tx, 'rfb.name', 1), 'desk');
});
