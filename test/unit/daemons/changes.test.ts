import assert from 'node:assert/strict';
import test from 'node:test';
import { createChangeBook, type StoredChange } from '../../../src/daemons/server/changes.js';
import type { SettingRepository } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import { silentLogger } from '../../../src/util/logger.js';

function setup(
  stored: Map<string, unknown> = new Map(),
  now = { ms: 1_000_000 },
  /** Called before each undo; throws where it fails. */
  hinder: () => Promise<void> = () => Promise.resolve(),
) {
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
    undo: async (change) => {
      await hinder();
      undone.push(change);
      return 2;
    },
    told(change, what, lifted, actor) {
      told.push(`${what} ${change.object} ${lifted} ${actor}`);
      if (what === 'reverted') waiting.splice(0).forEach((wake) => wake());
    },
    now: () => now.ms,
    log: silentLogger,
    retryMs: 5,
  });
  const undoing = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  return { book, undone, told, stored, now, undoing };
}

const make = (): Promise<void> => Promise.resolve();

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
  const change = await t.book.arm(mode, 0.02, make);
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
  const change = await t.book.arm(mode, 3600, make);
  assert.equal((await t.book.confirm(change.id, 'bob')).outcome, 'confirmed');
  assert.deepEqual(t.undone, []);
  await assert.rejects(t.book.revert(change.id, 'bob'), (e) => e instanceof AppError && e.code === 'change.not_found');
  t.book.close();
});

test('of two unconfirmed changes of one thing the state before the first comes back', async () => {
  const t = setup();
  const first = await t.book.arm(mode, 3600, make);
  const second = await t.book.arm({ ...mode, before: 'enforce' }, 3600, make);
  assert.equal(t.book.list().length, 1);
  assert.notEqual(first.id, second.id);
  await t.book.revert(second.id, 'ada');
  assert.equal(t.undone[0]?.before, 'observe');
  t.book.close();
});

test('a server that was down when the time ended takes the change back at its start', async () => {
  const before = setup();
  await before.book.arm(mode, 3600, make);
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
  await t.book.arm(mode, 3600, make);
  await t.book.supersede('mode', 'mode');
  assert.deepEqual(t.book.list(), []);
  assert.deepEqual(t.undone, []);
  t.book.close();
});

test('an undo that fails leaves the change in the book and in the store, and the timer tries until it is undone', async () => {
  let failures = 3;
  const t = setup(new Map(), { ms: 1_000_000 }, () =>
    failures-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve(),
  );
  const change = await t.book.arm(mode, 3600, make);
  await assert.rejects(t.book.revert(change.id, 'ada'), /disk full/);
  assert.equal(t.book.list().length, 1, 'it still waits');
  assert.equal((t.stored.get('pending_changes') as unknown[]).length, 1, 'also after a restart');
  assert.deepEqual(t.told, ['pending mode 0 ada']);
  t.book.close();

  const again = setup(t.stored, { ms: t.now.ms + 7200_000 }, () =>
    failures-- > 0 ? Promise.reject(new Error('disk full')) : Promise.resolve(),
  );
  const undone = again.undoing();
  await again.book.start();
  await undone;
  assert.equal(failures, -1, 'two more tries failed, then one did not');
  assert.equal(again.undone.length, 1);
  again.book.close();
});

test('a change cannot be confirmed while it is being taken back', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const t = setup(new Map(), { ms: 1_000_000 }, () => held);
  const change = await t.book.arm(mode, 3600, make);
  const reverting = t.book.revert(change.id, 'ada');
  await assert.rejects(t.book.confirm(change.id, 'bob'), (e) => e instanceof AppError && e.code === 'change.not_found');
  release();
  assert.equal((await reverting).outcome, 'reverted');
  assert.deepEqual(t.book.list(), []);
  t.book.close();
});

test('a change is in the store before it is made: a server killed in between takes it back when it starts', async () => {
  const t = setup();
  const killed = new Promise<Map<string, unknown>>((resolve) => {
    void t.book.arm(mode, 60, () => {
      resolve(new Map(t.stored));
      return new Promise(() => undefined);
    });
  });
  const after = setup(await killed, { ms: 1_000_000 + 61_000 });
  const undone = after.undoing();
  await after.book.start();
  await undone;
  assert.deepEqual(
    after.undone.map((c) => c.before),
    ['observe'],
  );
  t.book.close();
  after.book.close();
});

test('a change that could not be made leaves nothing to confirm, and what waited before waits on', async () => {
  const t = setup();
  const fails = (): Promise<never> => Promise.reject(new Error('the database is locked'));
  await assert.rejects(t.book.arm(mode, 60, fails), /locked/);
  assert.deepEqual(t.book.list(), []);
  assert.deepEqual(t.stored.get('pending_changes'), []);
  const first = await t.book.arm(mode, 60, make);
  await assert.rejects(t.book.arm({ ...mode, before: 'enforce' }, 60, fails), /locked/);
  assert.deepEqual(t.book.list(), [first]);
  const undone = t.undoing();
  await t.book.revert(first.id, 'ada');
  await undone;
  assert.equal(t.undone[0]?.before, 'observe');
  t.book.close();
});

test('a clock that was set back a day does not let an unconfirmed change stay a day longer', async () => {
  const before = setup();
  await before.book.arm(mode, 0.02, make);
  before.book.close();
  const t = setup(before.stored, { ms: 1_000_000 - 86_400_000 });
  const undone = t.undoing();
  await t.book.start();
  await undone;
  assert.equal(t.undone.length, 1);
  t.book.close();
});
