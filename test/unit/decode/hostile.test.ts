import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDecoder } from '../../../src/decode/index.js';
import { DECODE, DecodedPacket, LINK } from '../../../src/domain/packet.js';
import { blockOf } from './decode-one.js';
import * as f from './frames.js';
import { fc, fuzzLimits } from '../../support/fuzz.js';

const LINK_TYPES = [LINK.ETHERNET, LINK.RAW, LINK.LINUX_SLL, LINK.LINUX_SLL2, LINK.NULL, LINK.PPP];
const inner = f.ipv4({ proto: 6 }, f.tcp({ flags: 2, options: [2, 4, 5, 0xb4, 1, 3, 3, 7] }, f.text('payload')));
/** Well-formed packets that lead into every decoder; mutations start from here. */
const SEEDS = [
  f.ethernet(0x0800, inner),
  f.ethernet(0x8100, f.vlan(1, 0x8100, f.vlan(2, 0x0800, inner))),
  f.ethernet(0x86dd, f.ipv6(0, f.bytes([44, 0, 1, 4, 0, 0, 0, 0], [6, 0, 0, 0, 0, 0, 0, 1], f.tcp()))),
  f.ethernet(0x0806, f.bytes([0, 1, 8, 0, 6, 4, 0, 1], new Uint8Array(20))),
  f.ethernet(0x8847, f.bytes([0, 1, 1, 64], inner)),
  f.ethernet(0x8864, f.bytes([0x11, 0, 0, 9], f.u16(inner.length + 2), [0, 0x21], inner)),
  f.ethernet(0x0800, f.ipv4({ proto: 47 }, f.bytes([0xb0, 0, 8, 0], new Uint8Array(12), inner))),
  f.ethernet(
    0x0800,
    f.ipv4({ proto: 17 }, f.udp(1, 4789, f.bytes([8, 0, 0, 0, 0, 0, 1, 0], f.ethernet(0x0800, inner)))),
  ),
  f.ethernet(0x0800, f.ipv4({ proto: 1 }, f.icmp(3, 1, 0, 0, inner))),
];

/** The properties every decoded packet has, whatever the bytes were. */
function check(frame: Uint8Array, linkType: number): DecodedPacket {
  const block = blockOf(frame, linkType);
  const packet = new DecodedPacket();
  createDecoder().decode(block, 0, packet);
  const begin = block.offset[0]!;
  const end = begin + frame.length;
  assert.ok(Object.values(DECODE).includes(packet.result));
  for (const [offset, length] of [
    [packet.payloadOffset, packet.payloadLen],
    [packet.ipOffset, packet.ipLen],
    [packet.ipOptionsOffset, packet.ipOptionsLen],
    [packet.tcpOptionsOffset, packet.tcpOptionsLen],
  ] as const) {
    assert.ok(length >= 0, 'lengths are not negative');
    if (length > 0) assert.ok(offset >= begin && offset + length <= end, 'ranges lie in the frame');
  }
  for (const mac of [packet.srcMacOffset, packet.arpSenderMacOffset, packet.arpTargetMacOffset]) {
    assert.ok(mac === -1 || (mac >= begin && mac + 6 <= end), 'hardware addresses lie in the frame');
  }
  return packet;
}

/** Decodes again with other bytes around the frame: a read outside would make a difference. */
function checkIsolation(frame: Uint8Array, linkType: number): void {
  const decode = (poison: number): string => {
    const block = blockOf(frame, linkType);
    const begin = block.offset[0]!;
    block.data.fill(poison, 0, begin);
    block.data.fill(poison, begin + frame.length);
    const packet = new DecodedPacket();
    createDecoder().decode(block, 0, packet);
    const { data: _data, ...fields } = packet;
    return JSON.stringify(fields);
  };
  assert.equal(decode(0x00), decode(0xff));
}

describe('hostile bytes', () => {
  it('random bytes are decoded without exception and without leaving the frame', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...LINK_TYPES), (frame, linkType) => {
        check(frame, linkType);
        checkIsolation(frame, linkType);
      }),
      fuzzLimits(2000),
    );
  });

  it('mutated and cut packets are decoded without exception and without leaving the frame', () => {
    const mutation = fc.record({ at: fc.nat(400), value: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.constantFrom(...SEEDS),
        fc.array(mutation, { maxLength: 6 }),
        fc.nat(200),
        (seed, mutations, cut) => {
          const frame = seed.slice(0, Math.max(0, seed.length - (cut > 100 ? 0 : cut)));
          for (const { at, value } of mutations) if (frame.length > 0) frame[at % frame.length] = value;
          check(frame, LINK.ETHERNET);
          checkIsolation(frame, LINK.ETHERNET);
        },
      ),
      fuzzLimits(5000),
    );
  });

  it('every cut of a good packet is decoded or counted', () => {
    for (const seed of SEEDS) {
      for (let length = 0; length <= seed.length; length++) {
        check(seed.slice(0, length), LINK.ETHERNET);
        checkIsolation(seed.slice(0, length), LINK.ETHERNET);
      }
    }
  });

  it('the isolation check notices a decoder that reads one byte too far', () => {
    const frame = f.ethernet(0x0800, inner);
    const block = blockOf(frame, LINK.ETHERNET);
    // A block that claims one byte more than the frame has lets the decoder see the byte behind it.
    const cut = frame.length - f.text('payload').length - 1;
    const seen = [0x00, 0xff].map((poison) => {
      block.data.fill(poison, block.offset[0]! + cut);
      block.capLen[0] = cut + 1;
      const packet = new DecodedPacket();
      createDecoder().decode(block, 0, packet);
      return packet.windowScale;
    });
    assert.notEqual(seen[0], seen[1]);
  });

  it('work is bounded: a packet of nothing but VLAN tags or labels ends early', () => {
    const tags = f.ethernet(
      0x8100,
      Uint8Array.from({ length: 4000 }, (_, i) => [0, 1, 0x81, 0][i % 4]!),
    );
    assert.equal(check(tags, LINK.ETHERNET).result, DECODE.UNSUPPORTED);
    const labels = f.ethernet(0x8847, new Uint8Array(4000));
    assert.equal(check(labels, LINK.ETHERNET).result, DECODE.UNSUPPORTED);
  });
});
