import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { busyShare, createRealtimeGate, keepRealtime } from '../../../src/daemons/realtime.js';

test('a thread is real-time while it is mostly idle, and ordinary while it works more than half of its time', () => {
  const changes: boolean[] = [];
  const gate = createRealtimeGate((isRealtime) => changes.push(isRealtime));
  gate(0.1);
  gate(0.45);
  assert.deepEqual(changes, [true], 'some work is no reason to change');
  gate(0.8);
  gate(0.4);
  assert.deepEqual(changes, [true, false], 'it stays ordinary until it has calmed down');
  gate(0.2);
  assert.deepEqual(changes, [true, false, true]);
});

test('a thread that waits for a processor is as busy as it would be with one', () => {
  const start = { ran: 0, waited: 0, now: 0 };
  for (const [ran, waited, share] of [
    [10, 0, 0.1],
    [10, 80, 0.5],
    [5, 50, 0.1],
    [10, 90, 1],
    [100, 0, 1],
    [0, 100, 1],
  ] as const) {
    assert.equal(busyShare(start, { ran, waited, now: 100 }), share, `${ran} ms of work, ${waited} of waiting`);
  }
});

test('without the right to it nothing is scheduled and nobody asks again', () => {
  let asked = 0;
  const got = keepRealtime(new AbortController().signal, () => {
    asked++;
    return false;
  });
  assert.equal(got, false);
  assert.equal(asked, 1);
});

/** Scheduling policy of this thread as the kernel tells it: field 41 of stat, proc(5). */
function policyNow(): number {
  const text = readFileSync('/proc/thread-self/stat', 'utf8');
  return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[38]);
}

test('the kernel schedules the thread as a real-time one until the daemon ends', (t) => {
  const stop = new AbortController();
  assert.equal(policyNow(), 0);
  if (!keepRealtime(stop.signal)) {
    t.skip('needs CAP_SYS_NICE');
    return;
  }
  const during = policyNow();
  stop.abort();
  assert.equal(during, 2, 'SCHED_RR');
  assert.equal(policyNow(), 0);
});
