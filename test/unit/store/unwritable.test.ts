import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import Database from 'better-sqlite3';
import { storeOptionsSchema } from '../../../src/store/options.js';
import { openStore, type DecisionWrite, type SessionRow, type Store } from '../../../src/store/index.js';
import { openWaitingFile } from '../../../src/store/waiting-file.js';
import { createWriteBehind } from '../../../src/store/write-behind.js';
import { silentLogger, type Logger } from '../../../src/util/logger.js';
import { waitFor } from '../../lab/wait.js';
import { sampleAlert, sampleDecision, sampleIncident } from './samples.js';

const dir = mkdtempSync(join(tmpdir(), 'unwritable-'));
after(() => rmSync(dir, { recursive: true }));

test('a database that cannot be written, as on a full disk, is read all the same, and what waits comes later', async () => {
  const path = join(dir, 'locked.db');
  const store = await openStore(storeOptionsSchema.parse({ path, busyTimeoutMs: 5, batchMs: 5 }));
  const nowMs = Date.now();
  const before = sampleDecision({ expiresMs: 0, createdMs: nowMs - 1000, value: '192.0.2.1' });
  const meanwhile = sampleDecision({ expiresMs: 0, createdMs: nowMs, value: '192.0.2.2' });
  const [alert, incident] = [sampleAlert(), sampleIncident()];
  await store.decisions.save({ decision: before });
  store.alerts.queue({ alert });
  store.incidents.queue(incident);
  await store.flush();
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  store.decisions.queue({ decision: meanwhile });
  store.alerts.queue({ alert: sampleAlert() });
  store.incidents.queue(sampleIncident());
  await assert.rejects(store.flush(), { code: 'store.locked' }, 'mutation control: nothing can be written');
  const listed = async (q?: string): Promise<string[]> => {
    const page = { limit: 10, state: 'active' as const, ...(q === undefined ? {} : { q }) };
    return (await store.decisions.list(page, Date.now())).items.map(({ id }) => id);
  };
  assert.deepEqual(await listed(), [meanwhile.id, before.id], 'what the kernel holds is listed');
  assert.deepEqual(await listed(`ip:${meanwhile.value}`), [meanwhile.id]);
  assert.deepEqual(await listed(`ip:${before.value}`), [before.id]);
  assert.deepEqual(await listed('policy:none'), []);
  store.decisions.queue({ decision: { ...before, enforcement: 'revoked' } });
  assert.deepEqual(await listed(), [meanwhile.id], 'what was lifted is not');
  store.decisions.queue({ decision: before });
  assert.deepEqual(
    (await store.decisions.active(Date.now())).map(({ id }) => id),
    [meanwhile.id, before.id],
  );
  assert.equal((await store.decisions.get(before.id))?.id, before.id);
  assert.equal((await store.decisions.get(meanwhile.id))?.value, meanwhile.value, 'what waits can be lifted');
  assert.equal((await store.alerts.get(alert.id))?.id, alert.id);
  assert.equal((await store.incidents.get(incident.id))?.id, incident.id);
  assert.equal((await store.health()).ok, false);
  other.exec('ROLLBACK');
  other.close();
  await store.flush();
  assert.deepEqual(await listed(), [meanwhile.id, before.id]);
  await store.close();
});

test('what was decided and lifted while the database took nothing counts after a restart too, and is written then', async () => {
  const options = storeOptionsSchema.parse({
    ...{ path: join(dir, 'restart.db'), waitingFile: join(dir, 'waiting.journal') },
    ...{ busyTimeoutMs: 5, batchMs: 5 },
  });
  const nowMs = Date.now();
  const step = { atMs: nowMs, op: 'created', actor: 'olga', reason: 'test' } as const;
  const make = (value: string) => sampleDecision({ expiresMs: 0, createdMs: nowMs, value, enforcement: 'applied' });
  const [lifted, blocked, ofFeed] = [
    make('192.0.2.1'),
    make('192.0.2.2'),
    { ...make('192.0.2.3'), origin: 'feed' as const },
  ];
  const first = await openStore(options);
  await first.decisions.save({ decision: lifted, step });
  const other = new Database(options.path);
  other.exec('BEGIN IMMEDIATE');
  first.decisions.queue({ decision: blocked, step });
  await assert.rejects(first.flush(), { code: 'store.locked' }, 'mutation control: nothing can be written');
  first.decisions.queue({ decision: { ...lifted, enforcement: 'revoked' }, step: { ...step, op: 'released' } });
  first.decisions.queue({ decision: ofFeed, step });
  await first.close();
  const inForce = async (store: Store): Promise<string[]> =>
    (await store.decisions.active(Date.now())).map(({ value }) => value);
  other.exec('ROLLBACK');
  const without = await openStore({ ...options, waitingFile: undefined });
  assert.deepEqual(await inForce(without), [lifted.value], 'mutation control: without the file');
  await without.close();
  const third = await openStore(options);
  assert.deepEqual(await inForce(third), [blocked.value]);
  await third.flush();
  assert.deepEqual(
    (await third.decisions.history(lifted.id)).map(({ op }) => op),
    ['created', 'released'],
  );
  await third.close();
  const fourth = await openStore({ ...options, waitingFile: undefined });
  assert.deepEqual(await inForce(fourth), [blocked.value], 'it is in the database');
  await fourth.close();
  const left = openWaitingFile<DecisionWrite>(options.waitingFile ?? '', silentLogger, () => true);
  assert.deepEqual(left.found, []);
  // After a power cut: what was done with is in the file again.
  left.add({ decision: lifted, step });
  left.close();
  const fifth = await openStore(options);
  assert.deepEqual(await inForce(fifth), [blocked.value], 'what was lifted stays so');
  await fifth.close();
  other.close();
});

test('a file of what waits gives back what was whole, and nothing that was there before', () => {
  const path = join(dir, 'file.journal');
  const open = () => openWaitingFile<string>(path, silentLogger, (item) => item !== 'no');
  const first = open();
  assert.ok(statSync(path).blocks * 512 >= 64 * 1024, 'its space is its own');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  for (const item of ['a'.repeat(30), 'no', 'b', 'c']) first.add(item);
  first.close();
  const second = open();
  assert.deepEqual(second.found, ['a'.repeat(30), 'b', 'c']);
  second.clear();
  // As long as the line that was there: what followed it is still in the file, whole.
  second.add('d'.repeat(30));
  second.close();
  assert.deepEqual(open().found, ['d'.repeat(30)]);
  const bytes = readFileSync(path);
  bytes[20] = 0x21;
  writeFileSync(path, bytes);
  assert.deepEqual(open().found, [], 'a line that was changed is none');
});

test('what is being written when the process ends is found at the next start, and nothing when it was written', async () => {
  const path = join(dir, 'killed.journal');
  let answer!: () => void;
  const queue = createWriteBehind<number>({
    ...{ name: 'x', maxQueued: 10, batchRows: 10, batchMs: 0, log: silentLogger },
    file: openWaitingFile<number>(path, silentLogger, () => true),
    write: () => new Promise((resolve) => (answer = resolve)),
  });
  const found = (): readonly number[] => openWaitingFile<number>(path, silentLogger, () => true).found;
  queue.push(1);
  const written = queue.flush();
  assert.deepEqual(found(), [1]);
  answer();
  await written;
  assert.deepEqual(found(), []);
});

test('a batch that the database refuses for what is in it does not come back at the next start', async () => {
  const path = join(dir, 'poison.journal');
  const start = (error: Error) => {
    const file = openWaitingFile<number>(path, silentLogger, () => true);
    const queue = createWriteBehind<number>({
      ...{ name: 'x', maxQueued: 10, batchRows: 10, batchMs: 1000, file, found: file.found, log: silentLogger },
      write: () => Promise.reject(error),
    });
    return { file, queue };
  };
  const full = start(Object.assign(new Error('full'), { code: 'SQLITE_FULL' }));
  full.queue.push(1);
  await assert.rejects(full.queue.close());
  const poison = start(Object.assign(new Error('bad'), { code: 'SQLITE_CONSTRAINT_CHECK' }));
  assert.deepEqual(poison.file.found, [1]);
  await assert.rejects(poison.queue.close());
  assert.deepEqual(openWaitingFile(path, silentLogger, () => true).found, []);
});

test('sessions begin, go on and end while the database takes nothing, and are written when it does', async () => {
  const path = join(dir, 'sessions.db');
  const store = await openStore(storeOptionsSchema.parse({ path, busyTimeoutMs: 5 }));
  const nowMs = Date.now();
  const make = (id: string, user = 'olga'): SessionRow => ({
    ...{
      id,
      user,
      refreshHash: `hash of ${id}`,
      previousHash: '',
      rotatedMs: nowMs,
      address: '192.0.2.1',
      userAgent: '',
    },
    ...{ createdMs: nowMs, lastUsedMs: nowMs, expiresMs: nowMs + 60_000, revokedMs: 0 },
  });
  for (const id of ['old', 'older', 'kept']) await store.sessions.add(make(id));
  const other = new Database(path);
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(store.users.update('olga', { role: 'viewer' }), { code: 'store.locked' }, 'mutation control');
  const live = async (user?: string): Promise<string[]> =>
    (await store.sessions.list({ limit: 10 }, nowMs, user)).items.map(({ id }) => id).sort();
  await store.sessions.add(make('new'));
  await store.sessions.add(make('nils', 'nils'));
  assert.equal((await store.sessions.get('new'))?.user, 'olga');
  assert.ok(await store.sessions.rotate('new', 'hash of new', { refreshHash: 'next' }));
  assert.ok(!(await store.sessions.rotate('new', 'hash of new', { refreshHash: 'stolen' })), 'an old token');
  await store.sessions.revoke('old', nowMs);
  assert.deepEqual(await live(), ['kept', 'new', 'nils', 'older']);
  assert.deepEqual(await live('nils'), ['nils']);
  await store.sessions.revokeAll('olga', nowMs, 'kept');
  assert.deepEqual(await live(), ['kept', 'nils']);
  assert.notEqual((await store.sessions.get('older'))?.revokedMs, 0);
  assert.ok(!(await store.sessions.rotate('new', 'next', { refreshHash: 'again' })), 'it has ended');
  other.exec('ROLLBACK');
  const stored = (): string[] =>
    (other.prepare('SELECT id FROM sessions WHERE revoked_ms = 0').all() as { id: string }[])
      .map(({ id }) => id)
      .sort();
  await waitFor('what was held', () => stored().join() === 'kept,nils', { limitMs: 20_000 });
  other.close();
  await store.close();
});

test('writes that fail over and over are told ever more rarely, and that they go on', async () => {
  const tries: unknown[] = [];
  let told!: () => void;
  const over = new Promise<void>((resolve) => (told = resolve));
  const log: Logger = {
    ...silentLogger,
    error: (fields) => tries.push((fields as { tries: number }).tries),
    info: (_fields, message) => {
      if (message === 'database writes go on') told();
    },
  };
  let left = 20;
  const queue = createWriteBehind<number>({
    ...{ name: 'x', maxQueued: 10, batchRows: 10, batchMs: 0, log },
    write: () => (left-- > 0 ? Promise.reject(new Error('full')) : Promise.resolve()),
  });
  // Its timers keep no process alive.
  const awake = setInterval(() => undefined, 1000);
  queue.push(1);
  await over;
  clearInterval(awake);
  assert.deepEqual(tries, [1, 2, 4, 8, 16]);
  assert.equal(queue.stats().failed_writes, 20);
  await queue.close();
});
