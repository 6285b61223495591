import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inRange, parseRange } from '../../../../src/detect/signature/parse/number.js';

describe('a number is', () => {
  for (const [text, among, not] of [
    ['&0xc0=0x80', [0x80, 0xbf], [0xc0, 0x40, 0]],
    ['&0xc0!=0', [0x40, 0xff], [0x3f, 0, NaN]],
    ['&0x80000000=0x80000000', [0x80000000, 0xffffffff], [0x7fffffff]],
    ['>=2kb', [2048], [2047]],
    ['!1kib-2kb', [1024, 2048], [1025, 2047]],
  ] as [string, number[], number[]][]) {
    test(`in ${text} or not`, () => {
      const range = parseRange(text, 0xffffffff);
      assert.deepEqual([among.filter((n) => !inRange(range, n)), not.filter((n) => inRange(range, n))], [[], []]);
    });
  }
});
