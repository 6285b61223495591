import assert from 'node:assert/strict';
import test from 'node:test';
import { createChangeBook, type StoredChange } from '../../../src/daemons/server/changes.js';
import type { SettingRepository } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import { silentLogger } from '../../../src/util/logger.js';

function setup(stored: Map<string, unknown> = new Map(), now = { ms: 1_000_000 }) {
  const settings: SettingRepository = {
    get: (name) => Promise.resolve(stored.get(name)),
    set: (name, value) => {
      stored.set(name, JSON.parse(JSON.stringify(value)));
      return Promise.resolve();
    },
  };
  const undone: StoredChange[] = [];
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const book = createChangeBook({
    settings,
    undo: (change) => {
      undone.push(change);
      waiting.splice(0).forEach((wake) => wake());
      return Promise.resolve(2);
    },
    told: (change, what, lifted, actor) => told.push(`${what} ${change.object} ${lifted} ${actor}`),
    now: () => now.ms,
    log: silentLogger,
  });
  const undoing = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  return { book, undone, told, stored, now, undoing };
}

const mode = {
  kind: 'mode' as const,
  object: 'mode',
  summary: 'Mode observe became enforce.',
  actor: 'ada',
  before: 'observe',
};

test('a change that nobody confirms is taken back when its time is over', async () => {
  const t = setup();
  const done = t.undoing();
  const change = await t.book.arm(mode, 0.02);
  assert.equal(t.book.list()[0]?.id, change.id);
  await done;
  assert.deepEqual(
    t.undone.map((c) => c.before),
    ['observe'],
  );
  assert.deepEqual(t.book.list(), []);
  t.book.close();
});

test('a confirmed change stays, and cannot be taken back any more', async () => {
  const t = setup();
  const change = await t.book.arm(mode, 3600);
  assert.equal((await t.book.confirm(change.id, 'bob')).outcome, 'confirmed');
  assert.deepEqual(t.undone, []);
  await assert.rejects(t.book.revert(change.id, 'bob'), (e) => e instanceof AppError && e.code === 'change.not_found');
  t.book.close();
});

test('of two unconfirmed changes of one thing the state before the first comes back', async () => {
  const t = setup();
  const first = await t.book.arm(mode, 3600);
  const second = await t.book.arm({ ...mode, before: 'enforce' }, 3600);
  assert.equal(t.book.list().length, 1);
  assert.notEqual(first.id, second.id);
  await t.book.revert(second.id, 'ada');
  assert.equal(t.undone[0]?.before, 'observe');
  t.book.close();
});

test('a server that was down when the time ended takes the change back at its start', async () => {
  const before = setup();
  await before.book.arm(mode, 3600);
  before.book.close();
  const after = setup(before.stored, { ms: before.now.ms + 7200_000 });
  const done = after.undoing();
  await after.book.start();
  await done;
  assert.equal(after.undone[0]?.object, 'mode');
  after.book.close();
});

test('a change without a timer replaces one that waits', async () => {
  const t = setup();
  await t.book.arm(mode, 3600);
  await t.book.supersede('mode', 'mode');
  assert.deepEqual(t.book.list(), []);
  assert.deepEqual(t.undone, []);
  t.book.close();
});
