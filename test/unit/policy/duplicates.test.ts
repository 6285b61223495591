import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Decision } from '../../../src/domain/decision.js';
import { findSuperfluous } from '../../../src/policy/index.js';
import { decision } from '../enforce/helpers.js';

const ADDRESS = '203.0.113.7';
const block = (id: string, more: Partial<Decision> = {}): Decision => decision(ADDRESS, { id, ...more });
const superfluous = (...decisions: Decision[]): string[] =>
  findSuperfluous(decisions).map(({ decision: d, by }) => `${d.id} by ${by.id}`);

describe('decisions that do the same', () => {
  it('are one too many: the one that blocks, then the one that lasts longest, stays', () => {
    const long = block('long', { expiresMs: 9_000_000 });
    const short = block('short', { expiresMs: 2_000_000 });
    const counted = block('counted', { simulated: true, expiresMs: 0 });
    for (const order of [
      [long, short, counted],
      [counted, short, long],
    ]) {
      assert.deepEqual(superfluous(...order).sort(), ['counted by long', 'short by long']);
    }
    assert.deepEqual(superfluous(short, block('endless', { expiresMs: 0 })), ['short by endless']);
    assert.deepEqual(superfluous(block('a'), block('b')), ['b by a'], 'the first of two equal ones');
  });

  it('are one too many when one is milder; what only counts never stands for what acts', () => {
    const slowed = block('slowed', { action: 'rate_limit', expiresMs: 0 });
    assert.deepEqual(superfluous(slowed, block('blocked')), ['slowed by blocked']);
    assert.deepEqual(superfluous(slowed, block('counted', { simulated: true })), []);
  });

  const different: [string, Partial<Decision>][] = [
    ['another address', { value: '203.0.113.8' }],
    ['another scope', { scope: 'service', proto: 6, port: 22 }],
    ['another direction', { traffic: 'both' }],
    ['an operator', { origin: 'operator' }],
    ['a feed', { origin: 'feed' }],
    ['a SIEM', { origin: 'siem' }],
  ];
  for (const [what, more] of different) {
    it(`are not two when the other is for ${what}`, () => {
      assert.deepEqual(superfluous(block('a'), block('b', more)), []);
    });
  }
});
