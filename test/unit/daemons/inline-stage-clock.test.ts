import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StageClock } from '../../../src/daemons/inline/stage-clock.js';

/** True when a histogram says so, whose buckets are a sixteenth wide. */
const isAbout = (us: number, wanted: number): boolean => us >= wanted && us <= wanted * 1.13 + 1;

test('the time of a packet is split into waiting, decoding, judging and sending, and the whole is their sum', () => {
  const clock = new StageClock(2);
  // Two packets of one batch: the first waits for the second before its verdict is sent.
  clock.packet(1000, 1100, 1103, 1143);
  clock.packet(1010, 1143, 1146, 1186);
  clock.sent(1200);
  const { latency, stages } = clock.summary();
  assert.equal(latency.count, 2);
  assert.ok(isAbout(latency.p99Us, 200), `${latency.p99Us}`);
  assert.ok(isAbout(stages.wait.p50Us, 100) && isAbout(stages.wait.p99Us, 133), JSON.stringify(stages));
  assert.ok(isAbout(stages.decode.p99Us, 3), JSON.stringify(stages));
  assert.ok(isAbout(stages.judge.p99Us, 40), JSON.stringify(stages));
  assert.ok(isAbout(stages.verdict.p50Us, 14) && isAbout(stages.verdict.p99Us, 57), JSON.stringify(stages));
});

test('what was two windows ago is no longer told', () => {
  const clock = new StageClock(1);
  clock.packet(0, 9000, 9000, 9000);
  clock.sent(9000);
  clock.turn();
  assert.equal(clock.summary().latency.count, 1);
  clock.turn();
  assert.deepEqual(clock.summary().latency, { count: 0, p50Us: 0, p95Us: 0, p99Us: 0 });
});
