import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPrefilter } from '../../../../src/detect/signature/match/prefilter.js';
import { searchContent } from '../../../../src/detect/signature/match/search.js';
import { newContent } from '../../../../src/detect/signature/keywords/payload.js';

const letters = fc.array(fc.constantFrom(97, 98, 65, 66, 0, 255), { minLength: 1, maxLength: 12 });
const pattern = fc.record({ bytes: letters, nocase: fc.boolean() });
const lower = (b: number): number => (b >= 65 && b <= 90 ? b + 32 : b);

/** Ids of the patterns that occur, by trying every position. */
function naive(
  patterns: readonly { bytes: number[]; nocase: boolean }[],
  data: readonly number[],
  fresh: number,
): number[] {
  return patterns.flatMap(({ bytes, nocase }, id) => {
    for (let at = 0; at + bytes.length <= data.length; at++) {
      if (at + bytes.length <= fresh) continue;
      if (bytes.every((b, i) => (nocase ? lower(b) === lower(data[at + i]!) : b === data[at + i]))) return [id];
    }
    return [];
  });
}

test('the prefilter finds exactly the patterns that occur behind what was seen', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 12 }),
      fc.array(fc.constantFrom(97, 98, 65, 66, 0, 255, 99), { maxLength: 40 }),
      fc.nat(10),
      (patterns, data, fresh) => {
        const prefilter = createPrefilter(
          patterns.map((p, id) => ({
            bytes: Uint8Array.from(p.nocase ? p.bytes.map(lower) : p.bytes),
            nocase: p.nocase,
            id,
          })),
        );
        const found = new Set<number>();
        prefilter.scan(Uint8Array.from(data), 0, data.length, fresh, (ids) => {
          for (const id of ids) found.add(id);
        });
        assert.deepEqual(
          [...found].sort((a, b) => a - b),
          naive(patterns, data, fresh),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('searching one content agrees with trying every position', () => {
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.constantFrom(97, 98, 65, 66, 0, 255), { maxLength: 60 }),
      fc.nat(5),
      (p, data, from) => {
        const content = newContent(Uint8Array.from(p.nocase ? p.bytes.map(lower) : p.bytes), false);
        content.nocase = p.nocase;
        let want = -1;
        for (let at = from; at + p.bytes.length <= data.length && want < 0; at++)
          if (p.bytes.every((b, i) => (p.nocase ? lower(b) === lower(data[at + i]!) : b === data[at + i]))) want = at;
        assert.equal(searchContent(content, Uint8Array.from(data), from, data.length), want);
      },
    ),
    { numRuns: 500 },
  );
});
