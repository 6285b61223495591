import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { storeOptionsSchema, type StoreOptions } from '../../../src/store/options.js';
import { openStore } from '../../../src/store/index.js';
import type { Store } from '../../../src/store/store.js';
import { openWorkerStore } from '../../../src/store/worker-client.js';
import { silentLogger, type Logger } from '../../../src/util/logger.js';
import { repositoryCases } from './repository-cases.js';
import { sampleAlert, sampleFlow } from './samples.js';

const entry = new URL('mortal-worker.mjs', import.meta.url);
const open = (options: Partial<StoreOptions>, log: Logger = silentLogger): Promise<Store> =>
  openWorkerStore(storeOptionsSchema.parse(options), log, entry);

repositoryCases('SQLite in a thread of its own', () => open({ path: ':memory:' }));

describe('store in a thread of its own', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'thread-'));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('keeps the event loop free while a search reads many rows', async () => {
    const path = join(dir, 'big.db');
    const store = await open({ path, batchRows: 500 });
    for (let i = 0; i < 4000; i++) store.flows.queue('edge', sampleFlow({ flowId: i, srcPort: i }));
    await store.flush();
    const file = new Database(path);
    const columns = (file.pragma('table_info(flows)') as { name: string }[])
      .map((c) => c.name)
      .filter((name) => name !== 'id');
    const copy = `INSERT INTO flows (id, ${columns.join(',')}) SELECT hex(randomblob(16)), ${columns.join(',')} FROM flows`;
    for (let doubling = 0; doubling < 3; doubling++) file.exec(copy);
    file.close();
    /** Turns that the event loop of this thread takes during a search. */
    const turnsDuring = async (searched: Store): Promise<number> => {
      let turns = 0;
      let searching = true;
      const turn = (): void => {
        turns++;
        if (searching) setImmediate(turn);
      };
      setImmediate(turn);
      assert.deepEqual((await searched.flows.list({ limit: 5, q: 'bytes>99999999999' })).items, []);
      searching = false;
      return turns;
    };
    /** The most of several searches: a busy machine may give this thread nothing until a search is over. */
    const mostTurns = async (searched: Store): Promise<number> => {
      let most = 0;
      for (let search = 0; search < 10; search++) most = Math.max(most, await turnsDuring(searched));
      return most;
    };
    const aside = await mostTurns(store);
    await store.close();
    const here = await openStore({ kind: 'sqlite', path, thread: false });
    const control = await mostTurns(here);
    await here.close();
    assert.ok(aside > 100, `${aside} turns of the event loop`);
    assert.ok(control < 10, `the control, in this thread: ${control} turns`);
  });

  it('hands errors over with their code, and knows when it is closed', async () => {
    await assert.rejects(open({ path: join(dir, 'missing', 'x.db') }), {
      kind: 'operational',
      code: 'store.cannot_open',
    });
    const store = await open({ path: ':memory:' });
    await assert.rejects(store.alerts.list({ limit: 5, q: 'colour:red' }), { kind: 'user', code: 'search.invalid' });
    assert.deepEqual(await store.health(), { ok: true, detail: 'sqlite' });
    await store.close();
    await assert.rejects(store.alerts.get('x'), { code: 'store.closed' });
    assert.equal(store.alerts.queue({ alert: sampleAlert() }), false);
    assert.equal((await store.health()).ok, false);
  });

  it('writes what was queued before it closes, and passes the counters and the log on', async () => {
    const path = join(dir, 'kept.db');
    const messages: string[] = [];
    const log: Logger = { ...silentLogger, error: (_fields, message) => messages.push(message) };
    const store = await open({ path, busyTimeoutMs: 5, batchMs: 5 }, log);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const alert = sampleAlert();
    assert.equal(store.alerts.queue({ alert }), true);
    await assert.rejects(store.flush(), { code: 'store.locked' });
    const end = Date.now() + 60_000;
    while (messages.length === 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(messages[0], 'database write failed, will retry');
    other.exec('ROLLBACK');
    other.close();
    await store.flush();
    assert.equal(store.stats()['store_alerts_written'], 1);
    assert.equal(store.stats()['store_thread_waiting'], 0);
    store.alerts.queue({ alert: sampleAlert() });
    await store.close();
    const file = new Database(path, { readonly: true });
    assert.deepEqual(file.prepare('SELECT COUNT(*) AS n FROM alerts').get(), { n: 2 });
    file.close();
  });

  it('starts a thread that died again, keeps what comes meanwhile, and counts the rest', async () => {
    const messages: string[] = [];
    const log: Logger = { ...silentLogger, error: (_fields, message) => messages.push(message) };
    const store = await open({ path: join(dir, 'died.db') }, log);
    const before = sampleAlert();
    store.alerts.queue({ alert: before });
    await store.flush();
    const die = (store.alerts as unknown as { dieNow(): Promise<void> }).dieNow();
    await assert.rejects(die, { code: 'store.closed' });
    const meanwhile = sampleAlert();
    assert.equal(store.alerts.queue({ alert: meanwhile }), true);
    assert.equal((await store.alerts.get(meanwhile.id))?.id, meanwhile.id);
    assert.equal((await store.alerts.get(before.id))?.id, before.id);
    assert.equal(store.stats()['store_thread_restarts'], 1);
    assert.deepEqual(messages, ['The database thread ended; it is started again.']);
    await store.close();
  });
});
