import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inlineStateSchema } from '../../../src/contract/inline.js';
import { queueDepth, toState } from '../../../src/daemons/inline/state.js';

const none = { packets: 0, bytes: 0 };
const KERNEL = {
  exempt: none,
  cut: none,
  unwatched: none,
  bypassed: { packets: 9, bytes: 750 },
  chosen: { packets: 5, bytes: 250 },
};
const worker = (queue: number, p99Us: number, isAlive = true, isOverloaded = false) => ({
  queue,
  isAlive,
  state: {
    isOverloaded,
    held: queue,
    latency: { count: 10, p50Us: p99Us / 4, p95Us: p99Us / 2, p99Us },
    stages: {
      wait: { p50Us: 1, p99Us: p99Us / 2 },
      decode: { p50Us: queue, p99Us: 2 },
      judge: { p50Us: 3, p99Us: 4 },
      verdict: { p50Us: 5, p99Us: 6 },
    },
    counts: { judged: 100 * queue, dropped: 1 },
  },
});

test('the state of two processes: sums, the slowest latency, and each process by itself', () => {
  const state = toState('enforce', 'nft', [worker(1, 80), worker(2, 400, false)], KERNEL, { waiting: 7, dropped: 3 });
  assert.deepEqual(inlineStateSchema.parse(state), state);
  assert.equal(state.state, 'judging');
  assert.deepEqual(state.latency, { count: 20, p50Us: 100, p95Us: 200, p99Us: 400 });
  assert.deepEqual(state.stages?.wait, { p50Us: 1, p99Us: 200 });
  assert.deepEqual(state.stages?.decode, { p50Us: 2, p99Us: 2 });
  assert.equal(state.held, 3);
  assert.equal(state.bypassedShare, 0.75);
  assert.equal(state.counts['judged'], 300);
  assert.equal(state.counts['queue_dropped'], 3);
  assert.deepEqual(
    state.workers?.map((w) => [w.queue, w.alive, w.judged, w.held, w.latency.p99Us]),
    [
      [1, true, 100, 1, 80],
      [2, false, 200, 2, 400],
    ],
  );
});

test('one process in overload is overload of the whole, and only its own row says so', () => {
  const state = toState('enforce', 'nft', [worker(1, 80), worker(2, 80, true, true)], KERNEL, {
    waiting: 0,
    dropped: 0,
  });
  assert.equal(state.state, 'overloaded');
  assert.deepEqual(
    state.workers?.map((w) => w.overloaded),
    [false, true],
  );
});

test('only our own queues count for the depth', () => {
  const text = '    4  1 100 2 65531 0 0 9 1\n    5  1   7 2 65531 1 2 9 1\n    6  1   2 2 65531 0 0 9 1\n';
  assert.deepEqual(queueDepth(5, 2, text), { waiting: 9, dropped: 3 });
});
