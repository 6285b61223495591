import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { createDecoder } from '../../../src/decode/index.js';
import { DecodedPacket } from '../../../src/domain/packet.js';
import { blockOf } from './decode-one.js';
import * as f from './frames.js';

const IP_AT = 14;
const synOptions = [2, 4, 5, 0xb4, 1, 3, 3, 7];
const SEEDS = [
  f.ethernet(0x0800, f.ipv4({ proto: 6 }, f.tcp({ flags: 0x18 }, f.text('payload')))),
  f.ethernet(0x0800, f.ipv4({ proto: 6, flags: 2 }, f.tcp({ flags: 2, options: synOptions }))),
  f.ethernet(0x0800, f.ipv4({ proto: 17 }, f.udp(40_000, 53, f.text('question')))),
  f.ethernet(0x0800, f.ipv4({ proto: 17 }, f.udp(1, 4789, f.bytes([8, 0, 0, 0, 0, 0, 1, 0], new Uint8Array(40))))),
  f.ethernet(0x0800, f.ipv4({ proto: 6, totalLen: 40 }, f.bytes(f.tcp(), new Uint8Array(6)))),
  f.ethernet(0x0800, f.ipv4({ proto: 1 }, f.icmp(8, 0, 1, 1, f.text('ping')))),
  f.ethernet(0x0806, f.bytes([0, 1, 8, 0, 6, 4, 0, 1], new Uint8Array(20))),
];

/** A frame of the list with some of its header bytes changed, and cut short or not. */
const frames = fc
  .record({
    seed: fc.constantFrom(...SEEDS),
    changes: fc.array(fc.record({ at: fc.integer({ min: 12, max: 60 }), value: fc.nat(255) }), { maxLength: 2 }),
    length: fc.oneof({ weight: 3, arbitrary: fc.constant(1500) }, { weight: 1, arbitrary: fc.nat(80) }),
  })
  .map(({ seed, changes, length }) => {
    const frame = seed.slice(0, length);
    for (const { at, value } of changes) if (at < frame.length) frame[at] = value;
    return frame;
  });

/** What describes the IP packet, whichever way it was decoded. */
function ipFields(packet: DecodedPacket): object {
  const { data: _data, number: _number, isPlain: _isPlain, linkType: _linkType, ...fields } = packet;
  return { ...fields, srcMacOffset: 0, etherType: 0, frameOffset: 0, capLen: 0, wireLen: 0 };
}

/** The same bytes, decoded layer by layer: as an IP packet that was put together from fragments. */
function byLayers(frame: Uint8Array): DecodedPacket {
  const { data, offset, tsUs } = blockOf(frame);
  const packet = new DecodedPacket();
  packet.tsUs = tsUs[0]!;
  createDecoder().decodeIp(data, offset[0]! + IP_AT, frame.length - IP_AT, packet);
  return packet;
}

describe('the short way of plain packets', () => {
  it('decodes field for field what the layers decode, whatever came before', () => {
    const decoder = createDecoder();
    const packet = new DecodedPacket();
    let plain = 0;
    fc.assert(
      fc.property(frames, (frame) => {
        decoder.decode(blockOf(frame), 0, packet);
        if (packet.isPlain) {
          plain++;
          assert.deepEqual(ipFields(packet), ipFields(byLayers(frame)));
          assert.equal(packet.etherType, 0x0800);
          return;
        }
        const fresh = new DecodedPacket();
        createDecoder().decode(blockOf(frame), 0, fresh);
        assert.deepEqual(ipFields(packet), ipFields(fresh), 'nothing is left of the packet before');
      }),
      { numRuns: 3000 },
    );
    assert.ok(plain > 300, `${plain} packets went the short way`);
  });

  it('is not taken by fragments, options, tunnels, tags, and what is cut short', () => {
    const plain = (frame: Uint8Array, tci = -1): boolean => {
      const packet = new DecodedPacket();
      createDecoder().decode(blockOf(frame, undefined, tci), 0, packet);
      return packet.isPlain;
    };
    const payload = f.tcp({ flags: 0x18 }, f.text('payload'));
    const whole = f.ethernet(0x0800, f.ipv4({ proto: 6 }, payload));
    assert.equal(plain(whole), true);
    assert.equal(plain(whole, 7), false);
    assert.equal(plain(whole.slice(0, -1)), false);
    assert.equal(plain(f.ethernet(0x0800, f.ipv4({ proto: 6, flags: 1 }, payload))), false);
    assert.equal(plain(f.ethernet(0x0800, f.ipv4({ proto: 6, fragOffset: 8 }, payload))), false);
    assert.equal(plain(f.ethernet(0x0800, f.ipv4({ proto: 6, options: [1, 1, 1, 1] }, payload))), false);
    assert.equal(plain(SEEDS[3]!), false);
    assert.equal(plain(f.ethernet(0x8100, f.vlan(1, 0x0800, f.ipv4({ proto: 6 }, payload)))), false);
  });
});
