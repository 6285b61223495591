import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guessesOf } from '../../../scripts/detection/ssh-guesses.js';

/** A connection whose requests had these lengths, answered a microsecond after the other from `us` on. */
const connection = (us: number, ...lengths: number[]) => ({
  answered: lengths.map((bytes, i) => ({ bytes, us: us + i })),
});

test('a question for the methods of login is no guess; every answered password is one, in order', () => {
  const asking = [connection(100, 68, 84, 84), connection(50, 68), connection(10, 68, 84)];
  assert.deepEqual(guessesOf(asking), [11, 101, 102]);
  const asksNothing = [connection(100, 148, 148), connection(50, 148)];
  assert.deepEqual(guessesOf(asksNothing), [50, 100, 101]);
  const oneEach = [connection(2, 148), connection(1, 148)];
  assert.deepEqual(guessesOf(oneEach), [1, 2]);
});
