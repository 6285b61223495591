import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { DecodedPacket, LINK, TCP } from '../../../src/domain/packet.js';
import { createDecoder } from '../../../src/decode/index.js';
import { createDefragmenter, type DefragInput, type WholePacket } from '../../../src/flow/index.js';
import { blockOf } from '../decode/decode-one.js';
import * as f from '../decode/frames.js';

interface Piece {
  at: number;
  bytes: Uint8Array;
  more: boolean;
  id?: number;
  tsUs?: number;
  src?: string;
}

/** Runs IPv4 fragments through decoder and defragmenter, as the pipeline does. */
function run(pieces: readonly Piece[], options: DefragInput = {}, proto = 17) {
  const decoder = createDecoder();
  const defragmenter = createDefragmenter(options);
  const whole: WholePacket = { data: new Uint8Array(0), offset: 0, length: 0 };
  const packet = new DecodedPacket();
  const outcomes: string[] = [];
  const payloads: string[] = [];
  for (const { at, bytes, more, id = 1, tsUs = 1e15, src = '10.0.0.1' } of pieces) {
    const frame = f.ipv4({ proto, id, flags: more ? 1 : 0, fragOffset: at, src }, bytes);
    const block = blockOf(frame, LINK.RAW);
    block.tsUs[0] = tsUs;
    decoder.decode(block, 0, packet);
    const outcome = defragmenter.push(packet, whole);
    outcomes.push(outcome);
    if (outcome !== 'complete') continue;
    decoder.decodeIp(whole.data, whole.offset, whole.length, packet);
    payloads.push(
      new TextDecoder('latin1').decode(
        packet.data.slice(packet.payloadOffset, packet.payloadOffset + packet.payloadLen),
      ),
    );
  }
  return { outcomes, payloads, packet, stats: defragmenter.stats() };
}

const datagram = f.udp(1000, 53, f.text('abcdefghijklmnopqrstuvwxyz0123456789'));
const cut = (from: number, to: number): Piece => ({
  at: from,
  bytes: datagram.slice(from, to),
  more: to < datagram.length,
});
const TEXT = 'abcdefghijklmnopqrstuvwxyz0123456789';

describe('defragmentation', () => {
  it('puts a datagram together in any order and decodes it as a whole', () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ]) {
      const pieces = [cut(0, 16), cut(16, 32), cut(32, 44)];
      const { outcomes, payloads, packet, stats } = run(order.map((i) => pieces[i]!));
      assert.deepEqual(outcomes, ['held', 'held', 'complete']);
      assert.deepEqual(payloads, [TEXT]);
      assert.deepEqual([packet.srcPort, packet.dstPort, packet.isFragment], [1000, 53, false]);
      assert.deepEqual([stats.datagrams, stats.bytes_held], [0, 0]);
    }
  });

  it('passes whole packets on', () => {
    assert.deepEqual(run([{ at: 0, bytes: datagram, more: false }]).outcomes, ['pass']);
  });

  it('keeps datagrams apart by identification and source', () => {
    const { outcomes } = run([cut(0, 16), { ...cut(16, 44), id: 2 }, { ...cut(16, 44), src: '10.0.0.9' }]);
    assert.deepEqual(outcomes, ['held', 'held', 'held']);
  });

  it('puts IPv6 fragments together', () => {
    const decoder = createDecoder();
    const defragmenter = createDefragmenter();
    const whole: WholePacket = { data: new Uint8Array(0), offset: 0, length: 0 };
    const packet = new DecodedPacket();
    const segment = f.tcp({ flags: TCP.PSH | TCP.ACK }, f.text('sixteen bytes or more'));
    const send = (from: number, to: number): string => {
      const flags = from | (to < segment.length ? 1 : 0);
      const part = f.bytes([6, 0], f.u16(flags), f.u32(99), segment.slice(from, to));
      decoder.decode(blockOf(f.ipv6(0, f.bytes([44, 0, 1, 4, 0, 0, 0, 0], part)), LINK.RAW), 0, packet);
      return defragmenter.push(packet, whole);
    };
    assert.deepEqual([send(0, 24), send(24, segment.length)], ['held', 'complete']);
    decoder.decodeIp(whole.data, whole.offset, whole.length, packet);
    assert.deepEqual([packet.ipVersion, packet.srcPort, packet.payloadLen], [6, 40000, 21]);
  });

  it('any cut, order and repetition gives the original back', () => {
    const body = Uint8Array.from({ length: 3000 }, (_, i) => (i * 7) & 255);
    const whole = f.udp(5, 6, body);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 375 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, fc.infiniteStream(fc.nat()), (units, order) => {
        const edges = [0, ...units.sort((a, b) => a - b).map((u) => u * 8), whole.length];
        const pieces = edges
          .slice(1)
          .map((to, i): Piece => ({ at: edges[i]!, bytes: whole.slice(edges[i], to), more: to < whole.length }));
        if (pieces.length === 1) return;
        const shuffled = pieces.map((piece) => ({ piece, key: order.next().value }));
        const sorted = shuffled.sort((a, b) => a.key - b.key).map((s) => s.piece);
        const { outcomes, payloads } = run([sorted[0]!, ...sorted]);
        assert.equal(outcomes.at(-1), 'complete');
        assert.deepEqual(payloads, [new TextDecoder('latin1').decode(body)]);
      }),
      { numRuns: 200 },
    );
  });
});

describe('overlaps', () => {
  /** Three fragments of letters; the third begins before, with or after the first one's middle. */
  const header = f.udp(1, 2, new Uint8Array(32)).slice(0, 8);
  const piece = (at: number, letter: string, length: number, more: boolean): Piece => ({
    at,
    bytes: at === 0 ? f.bytes(header, f.text(letter.repeat(length - 8))) : f.text(letter.repeat(length)),
    more,
  });
  const scene = (third: Piece): Piece[] => [
    piece(0, 'a', 16, true),
    piece(24, 'b', 8, true),
    third,
    piece(16, 'z', 8, true),
    piece(32, 'c', 8, false),
  ];
  /** What stands at 24..32, which both `b` and `x` claim. */
  const winner = (third: Piece, policy: DefragInput['overlapPolicy']): string => {
    const { payloads } = run(scene(third), { overlapPolicy: policy });
    assert.equal(payloads.length, 1);
    return payloads[0]!.slice(16, 24);
  };
  const before = piece(16, 'x', 16, true);
  const same = piece(24, 'x', 8, true);

  for (const [policy, beginsBefore, beginsAtTheSame] of [
    ['first', 'b', 'b'],
    ['last', 'x', 'x'],
    ['bsd', 'x', 'b'],
    ['linux', 'x', 'x'],
  ] as const) {
    it(`${policy}: ${beginsBefore} wins over an earlier fragment that begins later, ${beginsAtTheSame} at the same place`, () => {
      assert.equal(winner(before, policy), beginsBefore.repeat(8));
      assert.equal(winner(same, policy), beginsAtTheSame.repeat(8));
    });
  }

  it('an earlier fragment that begins first wins under bsd and linux', () => {
    const pieces = [piece(0, 'a', 32, true), piece(16, 'x', 16, true), piece(32, 'c', 8, false)];
    for (const overlapPolicy of ['bsd', 'linux'] as const) {
      assert.equal(run(pieces, { overlapPolicy }).payloads[0]!.slice(8, 24), 'a'.repeat(16));
    }
    assert.equal(run(pieces, { overlapPolicy: 'last' }).payloads[0]!.slice(8, 24), 'x'.repeat(16));
  });

  it('counts overlaps, and those that contradict each other', () => {
    const { stats } = run([piece(0, 'a', 32, true), piece(16, 'a', 16, true), piece(16, 'x', 16, true)]);
    assert.deepEqual([stats.overlaps, stats.overlap_conflicts], [2, 1]);
  });
});

describe('bounds of defragmentation', () => {
  it('refuses the ping of death, empty pieces, and pieces that do not end on eight bytes', () => {
    const { stats, outcomes } = run([
      { at: 65528, bytes: new Uint8Array(100), more: false },
      { at: 8, bytes: new Uint8Array(0), more: true },
      { at: 8, bytes: new Uint8Array(9), more: true },
    ]);
    assert.deepEqual(outcomes, ['held', 'held', 'held']);
    assert.deepEqual([stats.malformed, stats.datagrams], [3, 0]);
  });

  it('refuses pieces beyond the end that the last fragment set', () => {
    const { stats } = run([
      cut(32, 44),
      { at: 48, bytes: new Uint8Array(8), more: true },
      { at: 40, bytes: new Uint8Array(16), more: false },
    ]);
    assert.equal(stats.malformed, 2);
  });

  it('evicts the oldest when there are too many datagrams or bytes', () => {
    const many = Array.from({ length: 1000 }, (_, id): Piece => ({ ...cut(0, 16), id }));
    const few = run(many, { maxDatagrams: 10 });
    assert.deepEqual([few.stats.datagrams, few.stats.evicted], [10, 990]);
    const big = Array.from({ length: 1000 }, (_, id): Piece => ({
      at: 32768,
      bytes: new Uint8Array(1024),
      more: true,
      id,
    }));
    const small = run(big, { maxKiB: 1024 });
    assert.ok(small.stats.bytes_held! <= 1024 * 1024);
    assert.ok(small.stats.evicted! > 900);
  });

  it('gives up a datagram after its time, and does not mix it with a later one of the same identification', () => {
    const late = 1e15 + 31e6;
    const { outcomes, stats } = run([cut(0, 16), { ...cut(16, 44), tsUs: late }]);
    assert.deepEqual(outcomes, ['held', 'held']);
    assert.equal(stats.expired, 1);
    const other = run([cut(0, 16), { ...cut(0, 16), id: 5, tsUs: late }]);
    assert.deepEqual([other.stats.expired, other.stats.datagrams], [1, 1]);
  });
});
