import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from '../../../../src/capture/afpacket/pace.js';

const KIB = 1024;
const RING = { blocks: 256, blockBytes: 256 * KIB };

describe('when the ring is looked at next', () => {
  it('the socket tells of each block while few packets come', () => {
    const pace = new Pace(RING, 1);
    for (const packets of [0, 1, 10, 31]) assert.equal(pace.next(packets), 0, `${packets} packets`);
  });

  it('the clock does while they come fast, and the socket again as soon as they do not', () => {
    const pace = new Pace(RING, 1);
    assert.equal(pace.next(50), 4);
    // 50 packets a millisecond, four of them.
    assert.equal(pace.next(200), 4);
    assert.equal(pace.next(128), 4);
    // As many as sent it to rest, but within four milliseconds.
    assert.equal(pace.next(50), 0);
    assert.equal(pace.next(50), 4);
    assert.equal(pace.next(0), 0);
  });

  it('a longer block timeout brings more packets a turn at the same rate', () => {
    assert.equal(new Pace(RING, 2).next(50), 0);
    assert.equal(new Pace(RING, 2).next(100), 4);
  });

  for (const [why, ring, timeoutMs] of [
    ['few blocks', { blocks: 32, blockBytes: 1024 * KIB }, 1],
    ['little memory', { blocks: 128, blockBytes: 64 * KIB }, 1],
    ['blocks that stay open for longer than a rest', RING, 10],
  ] as const) {
    it(`a ring of ${why} is never left to the clock`, () => {
      assert.equal(new Pace(ring, timeoutMs).next(100_000), 0);
    });
  }
});
