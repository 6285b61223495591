import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { fc } from '../../support/fuzz.js';
import { formatDuration, parseDuration } from '../../../src/util/duration.js';
import { AppError, exitCodeFor } from '../../../src/util/errors.js';
import { LatencyHistogram } from '../../../src/util/latency-histogram.js';
import { uuid7 } from '../../../src/util/uuid7.js';
import { VERSION } from '../../../src/util/version.js';

test('durations are read with their units', () => {
  for (const [text, secs] of [
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['1h30m', 5400],
    ['7d', 604800],
    ['250ms', 0.25],
    ['1.5h', 5400],
  ] as const) {
    assert.equal(parseDuration(text), secs, text);
  }
  for (const text of ['', 'soon', '10x', '-5s', '1h 30', 'h']) assert.equal(parseDuration(text), undefined, text);
});

test('durations are written with their two largest units', () => {
  assert.equal(formatDuration(0), '0s');
  assert.equal(formatDuration(0.25), '250ms');
  assert.equal(formatDuration(90), '1m 30s');
  assert.equal(formatDuration(90061), '1d 1h');
});

test('ids are valid UUIDv7 and sort in the order they were made, even within a millisecond and after a clock step back', () => {
  const ids: string[] = [];
  for (let i = 0; i < 20_000; i++) ids.push(uuid7(i < 15_000 ? 1_700_000_000_000.7 : 1_600_000_000_000));
  assert.deepEqual([...ids].sort(), ids);
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids.slice(0, 100))
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('a quantile of the latency histogram is within a sixteenth of the true one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1, maxLength: 200 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (values, q) => {
        const h = new LatencyHistogram();
        for (const v of values) h.add(v);
        const sorted = [...values].sort((a, b) => a - b);
        const truth = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!;
        const got = h.quantile(q);
        assert.ok(got >= truth - 1 && got <= truth * (1 + 1 / 16) + 1, `${got} for ${truth}`);
      },
    ),
  );
});

test('the exit code tells input from operation', () => {
  assert.equal(exitCodeFor(new AppError({ kind: 'user', code: 'x', message: 'x' })), 1);
  assert.equal(exitCodeFor(new AppError({ kind: 'operational', code: 'x', message: 'x' })), 3);
  assert.equal(exitCodeFor(new Error('x')), 3);
});

test('the version in the code is the version of the package', async () => {
  const pkg = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  assert.equal(VERSION, pkg.version);
});
