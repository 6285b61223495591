import assert from 'node:assert/strict';
import test from 'node:test';
import { disagreements, type Acknowledged } from '../../lab/fleet/ledger.js';

const NOW = 1_000_000;
const entry = (value: string, change: Partial<Acknowledged> = {}): Acknowledged => ({
  ...{ id: value, value, endMs: NOW + 60_000, state: 'active', atMs: 0, ...change },
});
const about = (ledger: Acknowledged[], ...kernels: string[][]): string[] =>
  disagreements(ledger, new Map(kernels.map((list, i) => [`box${i + 1}`, new Set(list)])), {
    isProtected: (value) => value.startsWith('10.'),
    nowMs: NOW,
  });

test('a fleet that does what was acknowledged agrees with it', () => {
  const ledger = [
    entry('192.0.2.1'),
    entry('192.0.2.2', { endMs: NOW - 60_000 }),
    entry('192.0.2.3', { state: 'lifted' }),
    entry('192.0.2.4', { state: 'unsure' }),
    entry('192.0.2.5', { endMs: NOW + 100 }),
  ];
  assert.deepEqual(about(ledger, ['192.0.2.1'], ['192.0.2.1', '192.0.2.4', '192.0.2.5']), []);
});

test('every way to differ is caught, on the box where it is', () => {
  const ledger = [
    entry('192.0.2.1'),
    entry('192.0.2.2', { endMs: NOW - 60_000 }),
    entry('192.0.2.3', { state: 'lifted' }),
  ];
  assert.deepEqual(about(ledger, ['192.0.2.1'], []), ['box2 does not block 192.0.2.1']);
  assert.deepEqual(about(ledger, ['192.0.2.1', '192.0.2.2']), ['box1 still blocks 192.0.2.2 (active)']);
  assert.deepEqual(about(ledger, ['192.0.2.1', '192.0.2.3']), ['box1 still blocks 192.0.2.3 (lifted)']);
  assert.deepEqual(about(ledger, ['192.0.2.1', '10.78.0.11']), ['box1 blocks 10.78.0.11, which is protected']);
  assert.deepEqual(about(ledger, ['192.0.2.1', '192.0.2.9']), ['box1 blocks 192.0.2.9, which nobody decided']);
});
