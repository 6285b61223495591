import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import * as b from './pcap-bytes.js';
import { readBytes, readPieces } from './read-all.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe('pcapng files', () => {
  for (const littleEndian of [true, false]) {
    it(`are read in ${littleEndian ? 'little' : 'big'}-endian order with every kind of packet block`, async () => {
      const le = littleEndian;
      const bytes = b.concat(
        b.sectionHeader(le),
        b.interfaceBlock({ linkType: 1 }, le),
        b.enhancedPacket(0, 1.7e15 + 1, text('enhanced'), le, 1500),
        b.oldPacket(0, 1.7e15 + 2, text('old'), le),
        b.simplePacket(text('simple'), le),
      );
      const { packets, code } = await readBytes(bytes);
      assert.equal(code, '');
      assert.deepEqual(
        packets.map((p) => [p.text, p.wireLen, p.tsUs - 1.7e15]),
        [
          ['enhanced', 1500, 1],
          ['old', 3, 2],
          // A simple packet has no time: it gets that of the one before.
          ['simple', 6, 2],
        ],
      );
    });
  }

  for (const [name, fields, ticks, expectedUs] of [
    ['microseconds by default', {}, 1.7e15, 1.7e15],
    ['milliseconds', { tsResol: 3 }, 1.7e12 + 5, 1.7e15 + 5000],
    ['nanoseconds', { tsResol: 9 }, 1.7e18, 1.7e15],
    ['units of 2^-10 s', { tsResol: 0x8a }, 1024 * 1.7e9 + 512, 1.7e15 + 500_000],
    ['an offset of seconds', { tsResol: 6, tsOffsetSecs: 1_000_000 }, 1.7e15, 1.7e15 + 1e12],
    ['a negative offset', { tsOffsetSecs: -10 }, 1.7e15, 1.7e15 - 1e7],
  ] as const) {
    it(`understand ${name}`, async () => {
      for (const le of [true, false]) {
        const bytes = b.concat(
          b.sectionHeader(le),
          b.interfaceBlock(fields, le),
          b.enhancedPacket(0, ticks, text('x'), le),
        );
        assert.ok(Math.abs((await readBytes(bytes)).packets[0]!.tsUs - expectedUs) < 1);
      }
    });
  }

  it('keep interfaces and their link types apart, in several sections of different byte order', async () => {
    const bytes = b.concat(
      b.sectionHeader(),
      b.interfaceBlock({ linkType: 1 }),
      b.interfaceBlock({ linkType: 101, tsResol: 3 }),
      b.enhancedPacket(0, 1e6, text('a')),
      b.enhancedPacket(1, 2e3, text('b')),
      b.enhancedPacket(0, 3e6, text('c')),
      b.sectionHeader(false),
      b.interfaceBlock({ linkType: 113 }, false),
      b.enhancedPacket(0, 4e6, text('d'), false),
    );
    const { packets } = await readBytes(bytes);
    assert.deepEqual(
      packets.map((p) => [p.text, p.interfaceId, p.linkType, p.tsUs]),
      [
        ['a', 0, 1, 1e6],
        ['b', 1, 101, 2e6],
        ['c', 0, 1, 3e6],
        ['d', 0, 113, 4e6],
      ],
    );
  });

  it('skip blocks that carry no packets, even large ones', async () => {
    const big = b.block(0x0000000a, new Uint8Array(3_000_000));
    const bytes = Buffer.concat([
      b.sectionHeader(),
      b.block(4, text('names')),
      b.interfaceBlock(),
      big,
      b.enhancedPacket(0, 1, text('after')),
    ]);
    assert.deepEqual(
      (await readBytes(bytes)).packets.map((p) => p.text),
      ['after'],
    );
    assert.deepEqual(
      (await readPieces(bytes, [100_000])).packets.map((p) => p.text),
      ['after'],
    );
  });

  it('cut simple packets at the snapshot length', async () => {
    const body = b.block(3, b.concat(Uint8Array.of(100, 0, 0, 0), text('12345678')));
    const { packets } = await readBytes(b.concat(b.sectionHeader(), b.interfaceBlock({ snapLen: 6 }), body));
    assert.deepEqual(
      packets.map((p) => [p.text, p.wireLen]),
      [['123456', 100]],
    );
  });

  const good = b.concat(b.sectionHeader(), b.interfaceBlock(), b.enhancedPacket(0, 1, text('good')));
  for (const [name, bytes, message] of [
    ['a packet of an interface that was not described', b.enhancedPacket(3, 1, text('x')), /interface 3/],
    ['two different lengths', Uint8Array.of(6, 0, 0, 0, 12, 0, 0, 0, 16, 0, 0, 0), /lengths differ/],
    ['a length below the minimum', Uint8Array.of(6, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0), /block of 8 bytes/],
    [
      'a packet block of many megabytes',
      Uint8Array.of(6, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0),
      /block of 268435456 bytes/,
    ],
    ['a packet longer than its block', b.block(6, new Uint8Array(20).fill(255)), /packet block/],
    ['a section without byte order', b.block(0x0a0d0d0a, new Uint8Array(16)), /byte order/],
  ] as const) {
    it(`end with a message at ${name}, after the last good packet`, async () => {
      const outcome = await readBytes(b.concat(good, bytes));
      assert.deepEqual([outcome.packets.length, outcome.code], [1, 'capture.corrupt']);
      assert.match(outcome.message, message);
      assert.match(outcome.message, /after packet 1/);
    });
  }

  it('that are cut say so', async () => {
    const outcome = await readBytes(b.concat(good, good.slice(0, 20)));
    assert.deepEqual([outcome.packets.length, outcome.code], [1, 'capture.truncated']);
  });

  it('damaged files give packets and a message, never another exception', async () => {
    const seed = b.concat(good, b.simplePacket(text('simple')), b.oldPacket(0, 5, text('old')), good);
    const change = fc.record({ at: fc.nat(seed.length - 1), value: fc.nat(255) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 5 }), fc.nat(seed.length), async (changes, cut) => {
        const bytes = seed.slice(0, cut);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        assert.match((await readPieces(bytes, [24])).code, /^(capture\.(truncated|corrupt|not_a_capture|empty))?$/);
      }),
      { numRuns: 500 },
    );
  });
});
