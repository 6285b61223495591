import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import Database from 'better-sqlite3';
import { storeOptionsSchema } from '../../../src/store/options.js';
import { openStore } from '../../../src/store/index.js';
import { createWriteBehind } from '../../../src/store/write-behind.js';
import { silentLogger, type Logger } from '../../../src/util/logger.js';
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
    [before.id],
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
