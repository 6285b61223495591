import assert from 'node:assert/strict';
import test from 'node:test';
import { createMicroClock, nowUs } from '../../../src/util/clock.js';

const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** A machine whose time goes on by itself by a microsecond a reading, and on which a program is put aside now and then. */
function machine() {
  let passedMs = 0;
  const state = { setMs: 0, asideMs: [] as number[] };
  const pass = (): number => (passedMs += 0.001 + (state.asideMs.shift() ?? 0));
  const exactMs = (): number => START_MS + state.setMs + pass();
  const clock = createMicroClock({
    monotonicMs: pass,
    wallMs: () => Math.floor(exactMs()),
    exactWallMs: exactMs,
  });
  /** Microseconds between the clock and the machine's own time. */
  const errorUs = (): number => Math.abs(clock() - (START_MS + state.setMs + passedMs) * 1000);
  return { state, errorUs };
}

test('microseconds follow the wall clock when it is set forward and back', () => {
  const { state, errorUs } = machine();
  assert.ok(errorUs() < 10);
  for (const ms of [HOUR_MS, -HOUR_MS, 0]) {
    state.setMs = ms;
    assert.ok(errorUs() < 10, `set by ${ms} ms`);
  }
});

test('a program that is put aside between two readings keeps its time', () => {
  const { state, errorUs } = machine();
  errorUs();
  for (let place = 0; place < 40; place++) {
    // Put aside after some reading, once or again and again: each looks as if the wall clock was set.
    for (const often of [1, 3]) {
      state.asideMs = [...new Array<number>(place).fill(0), ...new Array<number>(often).fill(7)];
      for (let n = 0; n < 25; n++) errorUs();
      assert.deepEqual(state.asideMs, []);
      assert.ok(errorUs() < 10, `off by ${errorUs()} us after ${place} readings`);
    }
  }
});

test('microseconds are the wall clock’s, and finer than milliseconds', () => {
  const distances = Array.from({ length: 20 }, () => Math.abs(nowUs() / 1000 - Date.now()));
  assert.ok(Math.min(...distances) < 6);
  const read = Array.from({ length: 10_000 }, () => nowUs());
  assert.ok(new Set(read).size > 100);
  assert.ok(read.some((us) => us % 1000 !== 0));
});
