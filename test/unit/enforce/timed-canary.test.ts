import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { CanaryResult } from '../../../src/enforce/canary/step.js';
import { TimedCanary, writeTimedRun } from '../../../src/enforce/canary/timed.js';

const HOUR_MS = 3_600_000;
const step = (ok: boolean) => ({ name: 'the same probe is dropped and counted', ok, ms: 1, detail: 'x' });
const good: CanaryResult = { ok: true, place: 'namespace', steps: [step(true)] };
const bad: CanaryResult = { ok: false, place: 'namespace', steps: [step(false)] };

describe('the canary of the timer', () => {
  const dir = mkdtempSync(join(tmpdir(), 'timed-canary-'));
  after(() => rmSync(dir, { recursive: true }));
  let nowMs = 1_800_000_000_000;
  let stamp = 1;
  /** Files of one millisecond would look the same. */
  const touch = (path: string): void => utimesSync(path, 1, ++stamp);

  function open(name: string) {
    mkdirSync(join(dir, name));
    const path = join(dir, name, 'result.json');
    const canary = new TimedCanary(path, () => nowMs);
    const write = (startedMs: number, result?: CanaryResult): void => {
      writeTimedRun(path, startedMs, result);
      touch(path);
    };
    return { path, canary, write };
  }

  it('is not run when its outcome could not be left where it is looked for', () => {
    assert.throws(() => writeTimedRun(join(dir, 'mistyped', 'result.json'), nowMs), { code: 'canary.result' });
    assert.ok(!existsSync(join(dir, 'mistyped')), 'a folder that nobody reads is not made');
  });

  it('says nothing where no timer runs', () => {
    const { canary } = open('none');
    nowMs += 100 * HOUR_MS;
    assert.equal(canary.take(), undefined);
    assert.equal(canary.latest, undefined);
  });

  it('tells each outcome once, good or bad', () => {
    const { canary, write } = open('once');
    write(nowMs);
    assert.equal(canary.take(), undefined, 'it runs');
    write(nowMs, good);
    assert.deepEqual(canary.take(), good);
    assert.equal(canary.take(), undefined);
    write(nowMs + 1, bad);
    assert.deepEqual(canary.take(), bad);
    assert.deepEqual(canary.latest, bad);
    assert.equal(canary.take(), undefined);
  });

  it('takes a run that does not end, and a timer that is silent, for failures; once each', () => {
    const { canary, write } = open('silent');
    write(nowMs);
    assert.equal(canary.take(), undefined);
    nowMs += 299_000;
    assert.equal(canary.take(), undefined);
    nowMs += 2000;
    assert.match(canary.take()?.steps[0]?.detail ?? '', /did not end within 300 s/);
    assert.equal(canary.take(), undefined);
    write(nowMs, good);
    assert.deepEqual(canary.take(), good);
    nowMs += 25 * HOUR_MS;
    assert.equal(canary.take(), undefined);
    nowMs += 2 * HOUR_MS;
    assert.match(canary.take()?.steps[0]?.detail ?? '', /has not run for 26 hours/);
    assert.equal(canary.take(), undefined);
  });

  it('does not believe a file that is no outcome', () => {
    const { path, canary, write } = open('broken');
    write(nowMs, good);
    canary.take();
    for (const text of [
      '',
      '{}',
      'null',
      '{"format":1,"startedMs":"soon"}',
      `{"format":1,"x":"${'x'.repeat(70_000)}"}`,
    ]) {
      writeFileSync(path, text);
      touch(path);
      assert.equal(canary.take(), undefined, text.slice(0, 40));
    }
    assert.deepEqual(canary.latest, good);
  });
});
