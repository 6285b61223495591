import assert from 'node:assert/strict';
import test from 'node:test';
import { toParcels } from '../../../src/fleet/work-outbox.js';

const line = (subject: string, n: number, chars = 5): string =>
  `${subject} id${n} ${JSON.stringify('x'.repeat(chars))}`;

test('lines of one subject go together in their order, as many as a message may have', () => {
  const lines = [line('a', 1), line('b', 2), line('a', 3), line('a', 4), line('a', 5)];
  assert.deepEqual(
    toParcels(lines, 3).map(({ subject, ids }) => [subject, ...ids]),
    [
      ['a', 'id1', 'id3', 'id4'],
      ['b', 'id2'],
      ['a', 'id5'],
    ],
  );
  assert.equal(toParcels(lines, 1).length, 5);
});

test('a message is bounded in its length, and one long line goes alone', () => {
  const parcels = toParcels([line('a', 1, 100_000), line('a', 2, 100_000), line('a', 3, 900_000), line('a', 4)], 64);
  assert.deepEqual(
    parcels.map(({ ids }) => ids),
    [['id1'], ['id2'], ['id3'], ['id4']],
  );
});

test('a line that is none, cut off by a crash, is left out', () => {
  assert.deepEqual(toParcels(['half'], 64), []);
});
