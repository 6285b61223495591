import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaps } from '../../../../src/detect/signature/match/gaps.js';
import { fc } from '../../../support/fuzz.js';

const LENGTH = 40;

test('a search skips only where the content does not begin, and not what was searched already', () => {
  const positions = fc.uniqueArray(fc.nat(LENGTH - 1), { maxLength: 5 });
  const search = fc.tuple(fc.nat(LENGTH - 1), fc.nat(LENGTH));
  fc.assert(
    fc.property(positions, fc.array(search, { maxLength: 20 }), (begins, searches) => {
      const gaps = new Gaps();
      const seen = new Set<number>();
      for (const [from, reach] of searches) {
        const to = Math.max(from, reach);
        const start = gaps.skip(from);
        for (let at = from; at < start; at++) assert.ok(seen.has(at), `${at} was never looked at`);
        assert.ok(!seen.has(start), `${start} is looked at again`);
        const found = begins.filter((at) => at >= start && at < to).sort((a, b) => a - b)[0] ?? Math.max(start, to);
        for (let at = from; at < found; at++) seen.add(at);
        if (found > from) gaps.add(from, found);
        assert.ok(begins.every((at) => !seen.has(at)));
      }
    }),
  );
});
