import assert from 'node:assert/strict';
import test from 'node:test';
import { createRareReport } from '../../../src/util/rare-report.js';

test('a problem that comes again and again is logged once a minute, with how often it came, and a new one at once', () => {
  const told: [string, number | undefined][] = [];
  const log = {
    error: (fields: object) => {
      const { err, repeated } = fields as { err: Error; repeated?: number };
      told.push([err.message, repeated]);
    },
  };
  let nowMs = 0;
  const report = createRareReport(log, 'It failed.', () => nowMs);
  for (; nowMs <= 120_000; nowMs += 1000) report(new Error('away'));
  report(new Error('full'));
  assert.deepEqual(told, [
    ['away', undefined],
    ['away', 59],
    ['away', 59],
    ['full', undefined],
  ]);
});
