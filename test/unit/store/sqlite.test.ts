import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { openStore } from '../../../src/store/index.js';
import { openDatabase } from '../../../src/store/data-source.js';
import { storeOptionsSchema } from '../../../src/store/options.js';
import { createSettingRepository } from '../../../src/store/repositories/knowledge.js';
import { toStoreError } from '../../../src/store/errors.js';
import { nodeArgs } from '../../support/program.js';
import { repositoryCases } from './repository-cases.js';
import { sampleAlert, sampleDecision, sampleFlow } from './samples.js';
import { schemaCases } from './schema-cases.js';

repositoryCases('SQLite', () => openStore({ thread: false, kind: 'sqlite', path: ':memory:' }));
schemaCases('SQLite', () => Promise.resolve({ kind: 'sqlite', path: ':memory:' }));

describe('SQLite file', () => {
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'store-'));
  });
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('is private, in WAL mode, and keeps everything over a restart', async () => {
    const path = join(dir, 'kept.db');
    const alert = sampleAlert();
    const decision = sampleDecision({ expiresMs: 0 });
    const first = await openStore({ thread: false, path });
    first.alerts.queue({ alert });
    first.decisions.queue({ decision });
    first.flows.queue('edge', sampleFlow());
    await first.close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(readFileSync(path)[18], 2, 'file format version 2 is WAL');
    const second = await openStore({ thread: false, path });
    assert.deepEqual(await second.alerts.get(alert.id), { ...alert, response: 'none' });
    assert.deepEqual(await second.decisions.active(Date.now()), [decision]);
    assert.equal((await second.flows.list({ limit: 5 })).items.length, 1);
    const overview = await second.statistics.overview(60, Date.now());
    assert.deepEqual(
      overview.protocols.map((row) => [row.name, row.flows]),
      [['tcp', 1]],
      'sums of the last minute were written',
    );
    await second.close();
  });

  it('is not well when somebody moves, removes or replaces it, and well again when it is put back', async () => {
    const path = join(dir, 'moved.db');
    const store = await openStore({ thread: false, path });
    const isWell = async (): Promise<boolean> => (await store.health()).ok;
    assert.equal(await isWell(), true);
    renameSync(path, `${path}.away`);
    assert.deepEqual([await isWell(), (await store.health()).detail.includes('moved')], [false, true]);
    writeFileSync(path, '');
    assert.equal(await isWell(), false, 'another file of the same name');
    renameSync(`${path}.away`, path);
    assert.equal(await isWell(), true);
    await store.close();
  });

  it('keeps what was done about alerts, and the timeline, while the database cannot be written', async () => {
    const path = join(dir, 'locked.db');
    const store = await openStore({ thread: false, path, busyTimeoutMs: 100 });
    const alert = sampleAlert();
    store.alerts.queue({ alert });
    await store.flush();
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const nowMs = Date.now();
    store.alerts.queue({ ids: [alert.id], response: 'blocked' });
    const point = { atMs: nowMs, packets: 2, bytes: 3, flows: 1, kernelDrops: 0, alerts: 1, blocks: 1 };
    await store.statistics.addTimeline(point);
    await store.statistics.addTimeline(point);
    await assert.rejects(store.flush(), { code: 'store.locked' });
    other.exec('ROLLBACK');
    other.close();
    await store.flush();
    assert.equal((await store.alerts.get(alert.id))?.response, 'blocked');
    const { timeline } = await store.statistics.overview(60, nowMs + 20_000);
    const sum = (name: 'packets' | 'blocks'): number => timeline.reduce((total, p) => total + p[name], 0);
    assert.deepEqual([sum('packets'), sum('blocks')], [4, 2]);
    await store.close();
  });

  it('can be read and written by a second process while it is open', async () => {
    const path = join(dir, 'shared.db');
    const store = await openStore({ thread: false, path });
    const other = spawn(process.execPath, [...nodeArgs('test/unit/store/append-audit.ts'), path, '50'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(other, 'exit');
    await once(other.stdout, 'data');
    const entry = { actor: 'server', address: '', action: 'x', object: 'y', outcome: 'success' as const };
    for (let i = 0; i < 50; i++) await store.audit.append(entry);
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(await store.audit.check(), { ok: true, checked: 100, brokenAtSeq: null });
    await store.close();
  });

  it('shows where the audit log was changed behind its back', async () => {
    const path = join(dir, 'audit.db');
    const store = await openStore({ thread: false, path });
    for (let i = 1; i <= 5; i++) {
      await store.audit.append({ actor: 'ada', address: '', action: 'block', object: `x${i}`, outcome: 'success' });
    }
    const file = new Database(path);
    file.prepare("UPDATE audit SET actor = 'eve' WHERE seq = 3").run();
    assert.deepEqual(await store.audit.check(), { ok: false, checked: 3, brokenAtSeq: 3 });
    file.prepare("UPDATE audit SET actor = 'ada' WHERE seq = 3").run();
    assert.equal((await store.audit.check()).ok, true);
    file.prepare('DELETE FROM audit WHERE seq = 2').run();
    assert.deepEqual(await store.audit.check(), { ok: false, checked: 2, brokenAtSeq: 3 });
    file.close();
    await store.close();
  });

  it('says clearly that the file is damaged, locked, in a missing directory, or full', async () => {
    const damaged = join(dir, 'damaged.db');
    writeFileSync(damaged, 'this is no database, but long enough to be looked at as if it were one. '.repeat(20));
    await assert.rejects(openStore({ thread: false, path: damaged }), { kind: 'operational', code: 'store.corrupt' });
    await assert.rejects(openStore({ thread: false, path: join(dir, 'missing', 'x.db') }), {
      code: 'store.cannot_open',
    });
    mkdirSync(join(dir, 'folder.db'));
    await assert.rejects(openStore({ thread: false, path: join(dir, 'folder.db') }), { code: 'store.cannot_open' });

    const locked = join(dir, 'locked.db');
    await (await openStore({ thread: false, path: locked })).close();
    const other = new Database(locked);
    other.exec('BEGIN EXCLUSIVE');
    const waiting = await openStore({ thread: false, path: locked, busyTimeoutMs: 20 }).then(
      (store) => store,
      (error: unknown) => error,
    );
    if (waiting instanceof Error) assert.equal((waiting as { code?: string }).code, 'store.locked');
    else {
      const store = waiting as Awaited<ReturnType<typeof openStore>>;
      await assert.rejects(store.settings.set('a', 1, 'x'), { code: 'store.locked' });
      other.exec('ROLLBACK');
      await store.settings.set('a', 1, 'x');
      await store.close();
    }
    other.close();
    for (const [driver, code] of [
      ['SQLITE_FULL', 'store.full'],
      ['SQLITE_READONLY_DBMOVED', 'store.readonly'],
      ['SQLITE_IOERR_WRITE', 'store.full'],
      ['ER_LOCK_DEADLOCK', 'store.locked'],
      ['PROTOCOL_CONNECTION_LOST', 'store.unreachable'],
      ['SOMETHING_NEW', 'store.failed'],
    ] as const) {
      assert.equal(toStoreError({ driverError: { code: driver } }).code, code, driver);
    }
  });

  it('commits again after SQLite has rolled back by itself, as it does when the disk is full', async () => {
    const path = join(dir, 'rolled-back.db');
    const db = await openDatabase(storeOptionsSchema.parse({ path }));
    const fail = (sql: string): Promise<void> =>
      db.write(async (manager) => {
        await manager.query(sql);
        throw new Error('no space');
      });
    await assert.rejects(fail('ROLLBACK'), /no space/);
    await assert.rejects(fail('SELECT 1'), /no space/);
    await createSettingRepository(db).set('a', 1, 'x');
    const other = new Database(path, { timeout: 10 });
    assert.equal(other.prepare(`SELECT count(*) AS n FROM settings WHERE name = 'a'`).pluck().get(), 1);
    other.exec('BEGIN IMMEDIATE; ROLLBACK');
    other.close();
    await db.source.destroy();
  });

  it('keeps queued rows while the file is locked and writes them afterwards', async () => {
    const path = join(dir, 'busy.db');
    const store = await openStore({ thread: false, path, busyTimeoutMs: 10, batchMs: 5 });
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const alert = sampleAlert();
    assert.equal(store.alerts.queue({ alert }), true);
    await assert.rejects(store.flush(), { code: 'store.locked' });
    assert.equal(store.stats()['store_alerts_queued'], 1);
    assert.equal((await store.health()).ok, false, 'it can be read, and nothing is written');
    other.exec('ROLLBACK');
    other.close();
    await store.flush();
    assert.equal((await store.health()).ok, true);
    assert.deepEqual(await store.alerts.get(alert.id), { ...alert, response: 'none' });
    await store.close();
  });

  it('drops the oldest rows and counts them when a queue is full', async () => {
    const store = await openStore({ thread: false, path: join(dir, 'full.db'), maxQueuedFlows: 100, batchMs: 5000 });
    let kept = 0;
    for (let i = 0; i < 150; i++) if (store.flows.queue('edge', sampleFlow({ flowId: i }))) kept++;
    assert.equal(kept, 100);
    await store.flush();
    assert.equal(store.stats()['store_flows_shed'], 50);
    const stored = (await store.flows.list({ limit: 200 })).items.map((flow) => flow.flowId).sort((a, b) => a - b);
    assert.deepEqual([stored.length, stored[0], stored.at(-1)], [100, 50, 149]);
    await store.close();
  });

  it(
    'refuses to write where it may only read',
    { skip: process.getuid?.() === 0 && 'root may write everywhere' },
    async () => {
      const closed = join(dir, 'closed');
      mkdirSync(closed);
      chmodSync(closed, 0o500);
      await assert.rejects(openStore({ thread: false, path: join(closed, 'x.db') }), { code: 'store.cannot_open' });
      assert.equal(existsSync(join(closed, 'x.db')), false);
    },
  );
});
