import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fc } from '../../support/fuzz.js';
import { FlowIndex } from '../../../src/flow/flow-index.js';

/** Every slot that a look-up of this hash comes past before a free place. */
function lookUp({ entries, mask }: FlowIndex, hash: number): number[] {
  const found: number[] = [];
  for (let at = hash & mask; entries[2 * at + 1] !== 0; at = (at + 1) & mask) {
    if (entries[2 * at] === hash) found.push(entries[2 * at + 1]! - 1);
  }
  return found.sort((a, b) => a - b);
}

/** The obvious index: for each hash the slots inserted and not removed. */
function expected(live: ReadonlyMap<number, number>, hash: number): number[] {
  return [...live].flatMap(([slot, h]) => (h === hash ? [slot] : [])).sort((a, b) => a - b);
}

/** Few hashes of many places, so that runs of places meet, wrap around the end and hold the same hash twice. */
const anyHash = fc.oneof(fc.integer(), fc.integer({ min: -8, max: 8 }), fc.constantFrom(1023, 1024, -1, 2047));

describe('index from hash to slot', () => {
  it('finds what is in it and nothing else, whatever was inserted and removed before', () => {
    const step = fc.record({ hash: anyHash, remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const index = new FlowIndex();
        const live = new Map<number, number>();
        steps.forEach(({ hash, remove }, slot) => {
          const oldest = live.entries().next().value;
          if (remove && oldest !== undefined) {
            index.remove(oldest[1], oldest[0]);
            live.delete(oldest[0]);
          }
          index.insert(hash, slot);
          live.set(slot, hash);
        });
        for (const { hash } of steps) assert.deepEqual(lookUp(index, hash), expected(live, hash));
      }),
    );
  });

  it('grows with its flows, stays at most half full, and shrinks when they are gone', () => {
    const index = new FlowIndex();
    const first = index.mask;
    const hashOf = (slot: number): number => Math.imul(slot, 0x9e3779b1) ^ (slot >>> 7);
    for (let slot = 0; slot < 20_000; slot++) {
      index.insert(hashOf(slot), slot);
      assert.ok(2 * (slot + 1) <= index.mask + 1, 'more than half full');
    }
    assert.ok(index.mask + 1 <= 4 * 20_000, 'much larger than its flows need');
    for (let slot = 0; slot < 20_000; slot++) assert.ok(lookUp(index, hashOf(slot)).includes(slot));
    for (let slot = 100; slot < 20_000; slot++) index.remove(hashOf(slot), slot);
    for (let slot = 0; slot < 20_000; slot++) assert.equal(lookUp(index, hashOf(slot)).includes(slot), slot < 100);
    for (let slot = 0; slot < 100; slot++) index.remove(hashOf(slot), slot);
    assert.equal(index.mask, first);
    assert.ok(index.entries.every((word) => word === 0));
  });

  it('is not changed by the removal of what is not in it', () => {
    const index = new FlowIndex();
    index.insert(5, 1);
    index.remove(5, 2);
    index.remove(6, 1);
    assert.deepEqual(lookUp(index, 5), [1]);
  });
});
