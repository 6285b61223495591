import assert from 'node:assert/strict';
import test from 'node:test';
import { nowUs } from '../../../src/util/clock.js';

const HOUR_MS = 3_600_000;

/** Milliseconds between the clock and the wall clock; the smallest of a few, for a test that is put aside between the readings. */
function distanceMs(): number {
  return Math.min(...Array.from({ length: 20 }, () => Math.abs(nowUs() / 1000 - Date.now())));
}

test('microseconds follow the wall clock when it is set forward and back', (t) => {
  assert.ok(distanceMs() < 6);
  const real = Date.now.bind(Date);
  const wall = t.mock.method(Date, 'now', () => real() + HOUR_MS);
  assert.ok(distanceMs() < 6, `${distanceMs()} ms from a clock that was set an hour forward`);
  wall.mock.mockImplementation(() => real() - HOUR_MS);
  assert.ok(distanceMs() < 6, `${distanceMs()} ms from a clock that was set back`);
});

test('microseconds are finer than milliseconds', () => {
  const read = Array.from({ length: 10_000 }, () => nowUs());
  assert.ok(new Set(read).size > 100);
  assert.ok(read.some((us) => us % 1000 !== 0));
});
