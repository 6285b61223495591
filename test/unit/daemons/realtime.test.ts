import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createRealtimeGate, keepRealtime } from '../../../src/daemons/realtime.js';

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
