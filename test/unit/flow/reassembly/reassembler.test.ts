import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BWD, FWD } from '../../../../src/domain/flow.js';
import { TCP } from '../../../../src/domain/packet.js';
import type { StreamPolicy } from '../../../../src/flow/reassembly/options.js';
import { tcpBench } from './tcp.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';

describe('TCP reassembly', () => {
  it('hands data on when the receiver acknowledges it', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { seq: 1000, ack: 5000, data: 'GET' });
    assert.deepEqual(t.notes, []);
    t.send(BWD, { seq: 5000, ack: 1002 });
    t.send(BWD, { seq: 5000, ack: 1003, data: 'OK' });
    t.send(FWD, { seq: 1003, ack: 5002 });
    assert.deepEqual(t.notes, ['0:GE', '0:T', '1:OK']);
  });

  it('hands data on at once when asked to inspect on arrival', () => {
    const t = tcpBench({ inspect: 'arrival' });
    t.handshake();
    t.send(FWD, { seq: 1003, ack: 5000, data: 'DEF' });
    t.send(FWD, { seq: 1000, ack: 5000, data: 'ABC' });
    t.send(FWD, { seq: 1006, ack: 5000, data: 'G' });
    assert.equal(t.text[FWD], 'ABCDEFG');
  });

  it('takes nothing of a connection whose SYN was answered with a wrong number, until the right answer comes', () => {
    const t = tcpBench({ inspect: 'arrival' });
    t.send(FWD, { flags: TCP.SYN, seq: 999 });
    t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 77 });
    assert.equal(t.reassembler.isValid, false);
    t.send(FWD, { seq: 1000, ack: 5000, data: 'GET' });
    t.send(BWD, { seq: 5000, ack: 1003, data: 'NO' });
    assert.deepEqual(t.notes, []);
    t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1000 });
    t.send(FWD, { seq: 1000, ack: 5000, data: 'GET' });
    t.send(BWD, { seq: 5000, ack: 1003, data: 'OK' });
    assert.deepEqual(t.notes, ['0:GET', '1:OK']);
  });

  it('follows what begins with the answer to a SYN while only that side is seen, and both sides with midstream', () => {
    const oneSided = tcpBench({ inspect: 'arrival' });
    oneSided.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1000 });
    oneSided.send(BWD, { seq: 5000, ack: 1000, data: 'OK' });
    assert.equal(oneSided.text[BWD], 'OK');
    for (const midstream of [false, true]) {
      const t = tcpBench({ inspect: 'arrival', midstream });
      t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1000 });
      t.send(FWD, { seq: 1000, ack: 5000 });
      t.send(BWD, { seq: 5000, ack: 1000, data: 'OK' });
      assert.equal(t.text[BWD], midstream ? 'OK' : '');
    }
  });

  it('puts segments in order across the wrap of sequence numbers', () => {
    const t = tcpBench();
    const first = 2 ** 32 - 2;
    t.handshake(first);
    t.send(FWD, { seq: first + 4, ack: 5000, data: 'EF' });
    t.send(FWD, { seq: first + 2, ack: 5000, data: 'CD' });
    t.send(FWD, { seq: first, ack: 5000, data: 'AB' });
    t.send(BWD, { seq: 5000, ack: first + 6 });
    assert.equal(t.text[FWD], 'ABCDEF');
  });

  it('reports acknowledged data that was never seen as a gap, and goes on', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { seq: 1000, ack: 5000, data: 'AB' });
    t.send(FWD, { seq: 1005, ack: 5000, data: 'FG' });
    t.send(BWD, { seq: 5000, ack: 1007 });
    assert.deepEqual(t.notes, ['0:AB', '0:gap 3', '0:FG']);
  });

  it('ends a direction after its FIN was reached, and not before missing data came', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { flags: TCP.FIN | TCP.ACK, seq: 1003, ack: 5000, data: 'DE' });
    t.send(FWD, { seq: 1000, ack: 5000, data: 'ABC' });
    assert.deepEqual(t.notes, []);
    t.send(BWD, { seq: 5000, ack: 1006 });
    assert.deepEqual(t.notes, ['0:ABCDE', '0:end']);
  });

  it('takes a reset in the window only', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { seq: 1000, ack: 5000, data: 'AB' });
    t.send(BWD, { seq: 5000, ack: 1002 });
    t.send(FWD, { flags: TCP.RST, seq: 900_000_000 });
    t.send(FWD, { seq: 1002, ack: 5000, data: 'CD' });
    t.send(BWD, { seq: 5000, ack: 1004 });
    assert.equal(t.text[FWD], 'ABCD');
    t.send(FWD, { flags: TCP.RST, seq: 1004 });
    assert.deepEqual(t.notes.slice(-2), ['0:end', '1:end']);
  });

  it('does not believe a reset that echoes another timestamp than the SYN had', () => {
    for (const echo of [100, 700]) {
      const t = tcpBench();
      t.send(FWD, { flags: TCP.SYN, seq: 999, timestamps: [700, 0] });
      t.send(BWD, { flags: TCP.RST | TCP.ACK, seq: 0, ack: 1000, timestamps: [1, echo] });
      const isForged = echo !== 700;
      assert.equal(t.reassembler.isValid, !isForged);
      t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1000, timestamps: [5, 700] });
      t.send(FWD, { seq: 1000, ack: 5000, data: 'AB', timestamps: [701, 5] });
      t.send(BWD, { seq: 5000, ack: 1002, timestamps: [6, 701] });
      assert.equal(t.text[FWD], isForged ? 'AB' : '');
    }
  });

  it('ignores segments with timestamps of the past', () => {
    const t = tcpBench();
    t.send(FWD, { flags: TCP.SYN, seq: 999, timestamps: [700, 0] });
    t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1000, timestamps: [5, 700] });
    t.send(FWD, { seq: 1000, ack: 5000, data: 'XX', timestamps: [600, 5] });
    assert.equal(t.reassembler.isValid, false);
    t.send(FWD, { seq: 1000, ack: 5000, data: 'AB', timestamps: [701, 5] });
    t.send(BWD, { seq: 5000, ack: 1002, timestamps: [6, 701] });
    assert.equal(t.text[FWD], 'AB');
  });

  it('hands on what nobody acknowledged when the flow ends', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { seq: 1000, ack: 5000, data: 'AB' });
    t.end();
    assert.deepEqual(t.notes, ['0:AB', '0:end', '1:end']);
    assert.equal(t.reassembler.stats()['reassembly_memory_bytes'], 0);
  });

  it('reads data on the SYN', () => {
    const t = tcpBench();
    t.send(FWD, { flags: TCP.SYN, seq: 999, data: 'GET /' });
    t.send(BWD, { flags: TCP.SYN | TCP.ACK, seq: 4999, ack: 1005 });
    assert.equal(t.text[FWD], '', 'not before the connection is established');
    t.send(FWD, { seq: 1005, ack: 5000 });
    t.send(BWD, { seq: 5000, ack: 1005 });
    assert.equal(t.text[FWD], 'GET /');
  });

  it('leaves a connection alone whose handshake was not seen, unless told otherwise', () => {
    for (const midstream of [false, true]) {
      const t = tcpBench({ midstream });
      t.send(FWD, { seq: 777, ack: 888, data: 'AB' });
      t.send(BWD, { seq: 888, ack: 779, data: 'C' });
      t.send(FWD, { seq: 779, ack: 889 });
      assert.deepEqual(t.text, midstream ? ['AB', 'C'] : ['', '']);
    }
  });

  it('follows one direction alone when told so', () => {
    const t = tcpBench({ midstream: true, asyncOneside: true, inspect: 'arrival' });
    t.send(FWD, { seq: 777, ack: 888, data: 'AB' });
    assert.equal(t.text[FWD], 'AB');
  });

  it('stops at the depth', () => {
    const t = tcpBench({ depthKiB: 1 });
    t.handshake();
    for (let i = 0; i < 3; i++) {
      t.send(FWD, { seq: 1000 + 600 * i, ack: 5000, data: 'x'.repeat(600) });
      t.send(BWD, { seq: 5000, ack: 1600 + 600 * i });
    }
    assert.equal(t.text[FWD]!.length, 1024);
    assert.equal(t.notes.at(-1), '0:end');
  });

  it('ignores acknowledgements beyond what the receiver allowed', () => {
    const t = tcpBench();
    t.handshake();
    t.send(FWD, { seq: 1000, ack: 5000 + 10_000_000, data: 'A' });
    t.send(BWD, { seq: 5000, ack: 1001, data: 'B' });
    t.send(FWD, { seq: 1001, ack: 5001 });
    assert.deepEqual(t.text, ['A', 'B']);
  });

  it('follows a direction beyond its last known window when the other is no longer shown', () => {
    const t = tcpBench({ inspect: 'arrival' });
    t.handshake();
    t.send(BWD, { seq: 5000, ack: 1000, data: 'seen' });
    t.reassembler.cease(0, BWD, 1e15);
    for (let i = 0; i < 50; i++) {
      t.send(FWD, { seq: 1000 + 10_000 * i, ack: 5004 + 1_000_000 * i, data: 'x'.repeat(10_000) });
      assert.ok(t.reassembler.isValid, `segment ${i}`);
    }
    assert.equal(t.text[FWD]?.length, 500_000);
    assert.equal(t.notes.filter((note) => note === '1:end').length, 1);
    assert.deepEqual(t.events, []);
  });

  it('counts what it sheds when memory is used up', () => {
    const t = tcpBench({ maxMiB: 1, maxWindowKiB: 65_536, depthKiB: 0 });
    t.handshake();
    t.send(BWD, { seq: 5000, ack: 1000, window: 65535 });
    for (let i = 0; i < 60; i++) t.send(FWD, { seq: 1000 + 30_000 * i, ack: 5000, data: 'x'.repeat(30_000) });
    assert.ok(t.reassembler.stats()['reassembly_segments_shed']! > 0);
    assert.ok(t.reassembler.stats()['reassembly_memory_bytes']! <= 1_048_576);
  });

  const POLICIES: [StreamPolicy, string, string, string][] = [
    // Later segment begins before, at, or after the earlier one; the same end.
    ['first', 'aaBBBB', 'BBBB', 'BBBB'],
    ['last', 'aaaaaa', 'aaaa', 'BBaa'],
    ['bsd', 'aaaaaa', 'BBBB', 'BBBB'],
    ['linux', 'aaaaaa', 'BBBB', 'BBBB'],
    ['old_linux', 'aaaaaa', 'aaaa', 'BBBB'],
    ['windows', 'aaBBBB', 'BBBB', 'BBBB'],
  ];
  for (const [policy, before, at, after] of POLICIES) {
    it(`chooses among overlapping copies as ${policy}`, () => {
      const run = (newSeq: number, oldSeq: number, base: number): string => {
        const t = tcpBench({ overlapPolicy: policy });
        t.handshake();
        t.send(FWD, { seq: oldSeq, ack: 5000, data: 'BBBB' });
        t.send(FWD, { seq: newSeq, ack: 5000, data: 'a'.repeat(oldSeq + 4 - newSeq) });
        t.send(BWD, { seq: 5000, ack: oldSeq + 4 });
        assert.ok(t.events.includes('reassembly_overlap_different_data'));
        return t.text[FWD]!.slice(base);
      };
      assert.equal(run(1000, 1002, 0), before);
      assert.equal(run(1000, 1000, 0), at);
      assert.equal(run(1002, 1000, 0), after);
      assert.equal(run(1008, 1006, 6), after);
    });
  }

  it('gives the same bytes however the data is cut, repeated, and shuffled', () => {
    const cut = fc.record({ at: fc.nat(199), length: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(fc.array(cut, { maxLength: 60 }), fc.boolean(), fc.nat(2 ** 32 - 1), (cuts, acked, first) => {
        const body = Array.from({ length: 200 }, (_, i) => String.fromCharCode(33 + (i % 90))).join('');
        const t = tcpBench({ inspect: acked ? 'acked' : 'arrival' });
        t.handshake(first);
        const arrived = new Set<number>();
        for (const { at, length } of cuts) {
          t.send(FWD, { seq: first + at, ack: 5000, data: body.slice(at, at + length) });
          for (let i = at; i < Math.min(200, at + length); i++) arrived.add(i);
        }
        let contiguous = 0;
        while (arrived.has(contiguous)) contiguous++;
        if (acked) t.send(BWD, { seq: 5000, ack: first + contiguous });
        assert.equal(t.text[FWD], body.slice(0, contiguous));
        t.end();
        assert.equal(t.reassembler.stats()['reassembly_memory_bytes'], 0);
      }),
      fuzzLimits(100),
    );
  });

  it('survives any packets', () => {
    const any = fc.record({
      direction: fc.constantFrom(FWD, BWD),
      flags: fc.nat(63),
      seq: fc.nat(400),
      ack: fc.nat(400),
      data: fc.uint8Array({ maxLength: 40 }),
      window: fc.nat(65535),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 60 }), (segments) => {
        const t = tcpBench({ midstream: true });
        for (const { direction, ...s } of segments) t.send(direction, s);
        t.end();
        assert.equal(t.reassembler.stats()['reassembly_memory_bytes'], 0);
      }),
      fuzzLimits(100),
    );
  });
});
