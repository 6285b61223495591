import assert from 'node:assert/strict';
import test from 'node:test';
import { fc } from '../../support/fuzz.js';
import { diffLines } from '../../../src/util/line-diff.js';

test('lines that stay, go and come are told with their numbers', () => {
  assert.deepEqual(diffLines('a\nb\nc\n', 'a\nx\nc\nd\n'), [
    { op: 'same', text: 'a', fromLine: 1, toLine: 1 },
    { op: 'removed', text: 'b', fromLine: 2 },
    { op: 'added', text: 'x', toLine: 2 },
    { op: 'same', text: 'c', fromLine: 3, toLine: 3 },
    { op: 'added', text: 'd', toLine: 4 },
  ]);
});

test('what is the same or removed makes the first text, what is the same or added the second', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n') + '\n');
  fc.assert(
    fc.property(text, text, (from, to) => {
      const lines = diffLines(from, to);
      const join = (op: string): string =>
        lines
          .filter((l) => l.op === 'same' || l.op === op)
          .map((l) => `${l.text}\n`)
          .join('');
      assert.equal(join('removed'), from);
      assert.equal(join('added'), to);
    }),
  );
});

test('texts that differ too much are compared as a whole, in bounded time', () => {
  const many = (letter: string): string => Array.from({ length: 5000 }, (_, i) => `${letter}${i}`).join('\n');
  const lines = diffLines(many('a'), many('b'));
  assert.equal(lines.filter((l) => l.op === 'removed').length, 5000);
  assert.equal(lines.filter((l) => l.op === 'added').length, 5000);
});
