import assert from 'node:assert/strict';
import test from 'node:test';
import { JetStreamApiError } from '@nats-io/jetstream';
import type { Session } from '../../../src/fleet/bus.js';
import { createBucketBook, SWEEP_AFTER_MS } from '../../../src/fleet/bucket-book.js';

const answer = (description: string) => new JetStreamApiError({ code: 500, err_code: 10_057, description });

/** A session whose server answers what a test says, and what it was asked to remove. */
function aSession(onDelete: (revision: number) => void = () => undefined) {
  const deleted: number[] = [];
  const deleteMessage = (_stream: string, revision: number): Promise<boolean> => {
    deleted.push(revision);
    return Promise.resolve(revision).then((r) => (onDelete(r), true));
  };
  const session = { jsm: { streams: { deleteMessage } }, signal: new AbortController().signal };
  return { deleted, session: session as unknown as Session };
}
const LATER = SWEEP_AFTER_MS + 1001;

test('what is over for a while is removed by its revision, what is not over stays', async () => {
  const book = createBucketBook('B');
  const { deleted, session } = aSession();
  book.note('over', { revision: 7, endMs: 1000, version: 1 });
  book.note('runs', { revision: 8, endMs: LATER, version: 1 });
  book.note('gone', { revision: 9, endMs: 1000, version: 1 });
  book.note('gone', undefined);
  await book.sweep(session, LATER - 2);
  assert.deepEqual(deleted, []);
  await book.sweep(session, LATER);
  await book.sweep(session, LATER);
  assert.deepEqual(deleted, [7]);
  assert.equal(book.versionOf('runs'), 1);
});

test('an entry that was renewed while it is removed stays known: only the revision that was seen goes', async () => {
  const book = createBucketBook('B');
  const { deleted, session } = aSession(() => book.note('k', { revision: 8, endMs: LATER * 2, version: 2 }));
  book.note('k', { revision: 7, endMs: 1000, version: 1 });
  await book.sweep(session, LATER);
  assert.deepEqual(deleted, [7]);
  assert.equal(book.versionOf('k'), 2);
});

test('a removal that failed is tried again; one that somebody else has done is not', async () => {
  const book = createBucketBook('B');
  let fails = answer('JetStream system temporarily unavailable');
  const { deleted, session } = aSession(() => {
    throw fails;
  });
  book.note('k', { revision: 7, endMs: 1000, version: 1 });
  await book.sweep(session, LATER);
  await book.sweep(session, LATER);
  fails = answer('no message found');
  await book.sweep(session, LATER);
  await book.sweep(session, LATER);
  assert.deepEqual(deleted, [7, 7, 7]);
});

test('who does not remove forgets what is over, and asks for the list before it removes', async () => {
  const book = createBucketBook('B');
  const { deleted, session } = aSession();
  const over = { revision: 7, endMs: 1000, version: 1 };
  book.note('k', over);
  book.tick(LATER);
  assert.equal(book.versionOf('k'), 1, 'as long as the one who removes may need');
  book.tick(LATER + SWEEP_AFTER_MS);
  assert.equal(book.versionOf('k'), 0);
  assert.equal(await book.sweep(session, LATER * 3), false);
  book.clear();
  book.note('k', over);
  book.tick(LATER * 3 + 1000);
  assert.equal(await book.sweep(session, LATER * 3 + 1000), true, 'it forgets nothing while it removes');
  assert.deepEqual(deleted, [7]);
});
