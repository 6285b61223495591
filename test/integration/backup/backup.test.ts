import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createConnection } from 'mysql2/promise';
import { stringify } from 'yaml';
import { busSocketPath } from '../../../src/bus/index.js';
import { openStore, type Store, type StoreOptions } from '../../../src/store/index.js';
import { nodeArgs } from '../../support/program.js';
import { sampleAlert } from '../../unit/store/samples.js';
import { mariaDbMissing, openMariaDb } from '../store/mariadb.js';

interface Run {
  code: number;
  out: string;
}

function portcullis(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...nodeArgs('src/cli/main.ts'), ...args], (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error ? -1 : 0;
      resolve({ code, out: stdout + stderr });
    });
  });
}

interface Bench {
  dir: string;
  data: string;
  config: string;
  archive: string;
  store: Partial<StoreOptions>;
}

function bench(t: TestContext, store: Partial<StoreOptions> = {}): Bench {
  const dir = mkdtempSync(join(tmpdir(), 'backup-'));
  t.after(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  const data = join(dir, 'data');
  mkdirSync(join(data, 'policies'), { recursive: true });
  mkdirSync(join(data, 'run'));
  const config = join(dir, 'portcullis.yaml');
  const { socketPath, ...rest } = store;
  writeFileSync(
    config,
    stringify({
      name: 'box',
      data_dir: data,
      ...(store.kind ? { store: { ...rest, ...(socketPath ? { socket_path: socketPath } : {}) } } : {}),
    }),
  );
  writeFileSync(join(data, 'policies', 'own.yaml'), 'name: own\n');
  writeFileSync(join(data, 'run', 'left-over'), '');
  return {
    dir,
    data,
    config,
    archive: join(dir, 'box.tar.gz'),
    store: store.kind ? store : { path: join(data, 'portcullis.db') },
  };
}

async function withStore<T>(b: Bench, task: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ ...b.store, thread: false });
  try {
    return await task(store);
  } finally {
    await store.close();
  }
}

async function addAlerts(store: Store, count: number): Promise<void> {
  for (let i = 0; i < count; i++) store.alerts.queue({ alert: sampleAlert({ title: `alert ${i}` }) });
  await store.flush();
}

const countAlerts = (store: Store) => store.alerts.list({ limit: 200 }).then((page) => page.items.length);

test('what was backed up beside an open database comes back, and what was there is kept aside', async (t) => {
  const b = bench(t);
  await withStore(b, async (store) => {
    await addAlerts(store, 5);
    const made = await portcullis('backup', b.archive, '--config', b.config);
    assert.equal(made.code, 0, made.out);
    await addAlerts(store, 3);
    await store.settings.set('note', 'later', 'test');
  });
  assert.equal(statSync(b.archive).mode & 0o777, 0o600, 'others can read the secrets');
  writeFileSync(join(b.data, 'policies', 'own.yaml'), 'name: changed\n');
  writeFileSync(join(b.data, 'policies', 'new.yaml'), 'name: new\n');

  const restored = await portcullis('restore', b.archive, '--config', b.config);
  assert.equal(restored.code, 0, restored.out);
  assert.equal(statSync(join(b.data, 'portcullis.db')).mode & 0o777, 0o600, 'others can read the restored database');
  assert.equal(await withStore(b, countAlerts), 5);
  assert.equal(await withStore(b, (store) => store.settings.get('note')), undefined);
  assert.deepEqual(readdirSync(join(b.data, 'policies')), ['own.yaml']);
  assert.equal(readFileSync(join(b.data, 'policies', 'own.yaml'), 'utf8'), 'name: own\n');
  assert.ok(!readdirSync(b.data).includes('run'), 'sockets of the old start came back');
  const aside = readdirSync(b.dir).find((name) => name.startsWith('data.before-restore-'));
  assert.equal(readFileSync(join(b.dir, aside ?? '', 'policies', 'own.yaml'), 'utf8'), 'name: changed\n');
  assert.deepEqual(
    readdirSync(b.dir).filter((name) => name.startsWith('.portcullis')),
    [],
    'working folders were left behind',
  );
});

test('a restore that fails in the middle leaves the data as it was', async (t) => {
  const b = bench(t);
  await withStore(b, (store) => addAlerts(store, 2));
  assert.equal((await portcullis('backup', b.archive, '--config', b.config)).code, 0);
  writeFileSync(join(b.dir, 'file'), '');
  const elsewhere = join(b.dir, 'elsewhere.yaml');
  writeFileSync(elsewhere, stringify({ data_dir: b.data, store: { path: join(b.dir, 'file', 'portcullis.db') } }));
  writeFileSync(join(b.data, 'policies', 'own.yaml'), 'name: changed\n');
  const run = await portcullis('restore', b.archive, '--config', elsewhere);
  assert.equal(run.code, 3, run.out);
  assert.match(run.out, /The restore failed: .*The data folder is as it was/);
  assert.doesNotMatch(run.out, /^ {4}at /m, 'a stack trace');
  assert.equal(readFileSync(join(b.data, 'policies', 'own.yaml'), 'utf8'), 'name: changed\n');
  assert.equal(await withStore(b, countAlerts), 2);
  assert.ok(!readdirSync(b.dir).some((name) => name.includes('before-restore')));
});

test('a database outside the data folder is kept beside the restored one', async (t) => {
  const b = bench(t);
  await withStore(b, (store) => addAlerts(store, 2));
  assert.equal((await portcullis('backup', b.archive, '--config', b.config)).code, 0);
  const path = join(b.dir, 'db', 'own.db');
  mkdirSync(dirname(path));
  const outside = { ...b, store: { path } };
  await withStore(outside, (store) => addAlerts(store, 1));
  const config = join(b.dir, 'outside.yaml');
  writeFileSync(config, stringify({ data_dir: b.data, store: { path } }));
  const run = await portcullis('restore', b.archive, '--config', config);
  assert.equal(run.code, 0, run.out);
  assert.equal(await withStore(outside, countAlerts), 2);
  assert.equal(await withStore({ ...b, store: { path: `${path}.before-restore` } }, countAlerts), 1);
});

test('a damaged, cut or foreign archive is refused before anything is changed', async (t) => {
  const b = bench(t);
  await withStore(b, (store) => addAlerts(store, 2));
  await portcullis('backup', b.archive, '--config', b.config);
  const whole = readFileSync(b.archive);
  const cut = join(b.dir, 'cut.tar.gz');
  writeFileSync(cut, whole.subarray(0, whole.length / 2));
  const foreign = join(b.dir, 'foreign.tar.gz');
  writeFileSync(foreign, 'not an archive');
  const forged = join(b.dir, 'forged.tar.gz');
  const work = join(b.dir, 'work');
  mkdirSync(work);
  await new Promise((resolve) => execFile('tar', ['-xzf', b.archive, '-C', work], resolve));
  writeFileSync(join(work, 'data', 'policies', 'own.yaml'), 'name: forged\n');
  await new Promise((resolve) => execFile('tar', ['-czf', forged, '-C', work, '.'], resolve));
  const check = await portcullis('restore', b.archive, '--config', b.config, '--check');
  assert.equal(check.code, 0, check.out);
  for (const bad of [cut, foreign, forged, join(b.dir, 'missing.tar.gz')]) {
    const run = await portcullis('restore', bad, '--config', b.config);
    assert.equal(run.code, 1, run.out);
    assert.match(run.out, /cannot be used.*Nothing was changed/s);
  }
  assert.equal(await withStore(b, countAlerts), 2);
  assert.ok(!readdirSync(b.dir).some((name) => name.includes('before-restore')));
});

test('a running server is not overwritten, and an archive is not either', async (t) => {
  const b = bench(t);
  await withStore(b, (store) => addAlerts(store, 1));
  await portcullis('backup', b.archive, '--config', b.config);
  const again = await portcullis('backup', b.archive, '--config', b.config);
  assert.equal(again.code, 1);
  assert.match(again.out, /is there already/);
  const socket = busSocketPath(join(b.data, 'run'), 'sensor');
  mkdirSync(dirname(socket), { recursive: true });
  const server = createServer().listen(socket);
  t.after(() => server.close());
  const run = await portcullis('restore', b.archive, '--config', b.config);
  assert.equal(run.code, 1);
  assert.match(run.out, /server is running/i);
});

test('MariaDB: every row of every table comes back as it was', { skip: mariaDbMissing() ?? false }, async (t) => {
  const mariaDb = await openMariaDb();
  t.after(() => mariaDb.close());
  const connection = await createConnection({ socketPath: mariaDb.socketPath, user: 'root' });
  t.after(() => connection.end());
  await connection.query('CREATE DATABASE box');
  const b = bench(t, { kind: 'mysql', socketPath: mariaDb.socketPath, database: 'box', user: 'root' });
  await withStore(b, (store) => addAlerts(store, 40));
  const sums = async (): Promise<unknown> => {
    const [tables] = await connection.query(
      'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = "box"',
    );
    const names = (tables as { name: string }[]).map((row) => `box.${row.name}`).sort();
    const [rows] = await connection.query(`CHECKSUM TABLE ${names.join(', ')}`);
    return (rows as { Table: string; Checksum: unknown }[]).filter((row) => row.Table !== 'box.migrations');
  };
  const before = await sums();
  const made = await portcullis('backup', b.archive, '--config', b.config);
  assert.equal(made.code, 0, made.out);
  await withStore(b, (store) => addAlerts(store, 1));
  assert.notDeepEqual(await sums(), before, 'the control: a row more is another sum');
  const run = await portcullis('restore', b.archive, '--config', b.config);
  assert.equal(run.code, 0, run.out);
  assert.deepEqual(await sums(), before);
  assert.equal(await withStore(b, countAlerts), 40);
});
