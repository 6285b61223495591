import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createMender } from '../../../src/daemons/inline/mender.js';

function start() {
  const w = { nowMs: 0, attempts: 0, failures: 0, problem: undefined as Error | undefined, pause: Promise.resolve() };
  const mend = createMender({
    async repair() {
      w.attempts++;
      await w.pause;
      if (w.problem) throw w.problem;
    },
    failed: () => w.failures++,
    inTurn: (task) => task(),
    monoMs: () => w.nowMs,
  });
  return { w, mend };
}

test('rules that are missed again while they are brought back are brought back once', async () => {
  const { w, mend } = start();
  let done = (): void => undefined;
  w.pause = new Promise((resolve) => (done = resolve));
  for (let i = 0; i < 5; i++) mend();
  assert.equal(w.attempts, 1);
  done();
  await turn();
  mend();
  assert.equal(w.attempts, 2, 'missed once more after that');
});

test('attempts that fail are ten seconds apart and told once, until one succeeds', async () => {
  const { w, mend } = start();
  w.problem = new Error('iptables is missing');
  for (w.nowMs = 0; w.nowMs < 30_000; w.nowMs += 1000) {
    mend();
    await turn();
  }
  assert.deepEqual([w.attempts, w.failures], [3, 1]);
  const { problem } = w;
  w.problem = undefined;
  mend();
  await turn();
  w.problem = problem;
  mend();
  await turn();
  assert.deepEqual([w.attempts, w.failures], [5, 2]);
});
