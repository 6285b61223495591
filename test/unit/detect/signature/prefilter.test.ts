import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../support/fuzz.js';
import { createPrefilter } from '../../../../src/detect/signature/match/prefilter.js';
import { searchContent } from '../../../../src/detect/signature/match/search.js';
import { newContent } from '../../../../src/detect/signature/keywords/content.js';

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

type Pattern = { bytes: number[]; nocase: boolean };

/** Ids that a prefilter calls for, in order. */
function found(patterns: readonly Pattern[], data: readonly number[], from: number, fresh: number): number[] {
  const prefilter = createPrefilter(
    patterns.map((p, id) => ({
      bytes: Uint8Array.from(p.nocase ? p.bytes.map(lower) : p.bytes),
      nocase: p.nocase,
      id,
    })),
  );
  const ids = new Set<number>();
  prefilter.scan(Uint8Array.from(data), from, data.length, fresh, (hit) => {
    for (const id of hit) ids.add(id);
  });
  return [...ids].sort((a, b) => a - b);
}

/** Few letters, so that patterns overlap each other and near misses are common. */
const alphabet = fc.constantFrom(97, 98, 65, 66, 0, 255, 99);
const traffic = fc.array(alphabet, { maxLength: 200 });

test('the prefilter finds exactly the patterns that occur behind what was seen', () => {
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 12 }), traffic, fc.nat(60), (patterns, data, fresh) => {
      assert.deepEqual(found(patterns, data, 0, fresh), naive(patterns, data, fresh));
    }),
    { numRuns: 1000 },
  );
});

test('so many patterns that every kind of table is used are found exactly', () => {
  const sized = (length: number) => fc.array(alphabet, { minLength: length, maxLength: length });
  const anyLength = fc.integer({ min: 1, max: 40 }).chain(sized);
  const many = fc.array(fc.record({ bytes: anyLength, nocase: fc.boolean() }), { minLength: 100, maxLength: 160 });
  fc.assert(
    fc.property(many, traffic, fc.nat(60), fc.nat(120), (patterns, data, fresh, picked) => {
      // A few of them in the data, so that long ones occur, too.
      const inserted = [...data, ...patterns[picked % patterns.length]!.bytes, ...data.slice(0, picked)];
      assert.deepEqual(found(patterns, inserted, 0, fresh), naive(patterns, inserted, fresh));
    }),
    { numRuns: 150 },
  );
});

test('more patterns of one to four bytes than the vector tables take are found exactly', () => {
  for (const [count, length] of [
    [300, 2],
    [400, 3],
    [500, 4],
  ] as const) {
    const patterns = Array.from({ length: count }, (_, n) => ({
      bytes: Array.from({ length }, (_, k) => (97 + n * 7 + k * (n % 11)) & 255),
      nocase: false,
    }));
    const data = Array.from({ length: 700 }, (_, n) => (n * n * 31 + 97) & 255);
    assert.deepEqual(found(patterns, data, 0, 0), naive(patterns, data, 0), `${count} of ${length} bytes`);
    assert.equal(found(patterns, patterns[count - 1]!.bytes, 0, 0).includes(count - 1), true);
  }
});

test('a stream in pieces is found as a whole one', () => {
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 60 }),
      traffic,
      fc.array(fc.nat(200), { maxLength: 6 }),
      (patterns, data, cuts) => {
        const longest = Math.max(...patterns.map((p) => p.bytes.length));
        const all = new Set<number>();
        let seen = 0;
        for (const end of [...cuts.filter((c) => c <= data.length).sort((a, b) => a - b), data.length]) {
          for (const id of found(patterns, data.slice(0, end), Math.max(0, seen - longest), seen)) all.add(id);
          seen = end;
        }
        assert.deepEqual(
          [...all].sort((a, b) => a - b),
          naive(patterns, data, 0),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('input longer than the scanner takes at once is searched in pieces that overlap', () => {
  const data = new Array<number>(300_000).fill(120);
  const needle = [...Buffer.from('needle in a haystack')];
  for (const at of [0, 131_060, 131_072, 262_130, 299_980]) {
    const filled = [...data];
    filled.splice(at, needle.length, ...needle);
    assert.deepEqual(found([{ bytes: needle, nocase: false }], filled, 0, 0), [0], `at ${at}`);
  }
  assert.deepEqual(found([{ bytes: needle, nocase: false }], data, 0, 0), []);
});

test('the comparison with the naive search notices one byte that is changed', () => {
  const patterns = [{ bytes: [...Buffer.from('portcullis')], nocase: false }];
  const data = [...Buffer.from('the portcullis is down')];
  const changed = [...data];
  changed[8] = 120;
  assert.notDeepEqual(found(patterns, changed, 0, 0), naive(patterns, data, 0));
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
