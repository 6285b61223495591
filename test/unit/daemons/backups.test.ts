import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createBackups } from '../../../src/daemons/server/backups.js';
import { openStore } from '../../../src/store/index.js';
import { AppError } from '../../../src/util/errors.js';
import { silentLogger } from '../../../src/util/logger.js';

let dir: string;
let dataDir: string;
let configFile: string;

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'backups-'));
  dataDir = join(dir, 'data');
  mkdirSync(dataDir);
  configFile = join(dir, 'portcullis.yaml');
  writeFileSync(configFile, `name: box one\ndata_dir: ${dataDir}\n`);
  await (await openStore({ thread: false, path: join(dataDir, 'portcullis.db') })).close();
});
after(() => rmSync(dir, { recursive: true }));

const deps = () => ({ dataDir, name: 'box one', configFile, now: Date.now, log: silentLogger });
const codeOf = (code: string) => (error: unknown) => error instanceof AppError && error.code === code;

async function ended(backups: ReturnType<typeof createBackups>): Promise<void> {
  const limit = Date.now() + 60_000;
  while ((await backups.list()).runningSinceMs !== null) {
    assert.ok(Date.now() < limit, 'the backup did not end');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('a backup is made beside the running server, one at a time, and the archive is whole', async () => {
  const backups = createBackups(deps());
  const started = await backups.start(false);
  assert.notEqual(started.runningSinceMs, null);
  await assert.rejects(backups.start(false), codeOf('backup.busy'));
  await ended(backups);
  const { items, lastError } = await backups.list();
  assert.equal(lastError, null);
  assert.equal(items.length, 1);
  const [{ name, bytes } = { name: '', bytes: 0 }] = items;
  assert.match(name, /^portcullis-box_one-2\d{3}-.*\.tar\.gz$/);
  const path = join(dataDir, 'backups', name);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const checked = await backups.check(name);
  assert.equal(checked.ok, true, checked.text);
  assert.match(checked.text, /is whole: box one/);
  assert.match(checked.restore.join('\n'), new RegExp(`portcullis restore ${path} --config ${configFile}`));
  const file = await backups.file(name);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.body as AsyncIterable<Uint8Array>) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).length, bytes);
  await assert.rejects(backups.file('portcullis-other.tar.gz'), codeOf('backup.not_found'));
  await assert.rejects(backups.remove('../portcullis.db'), codeOf('backup.not_found'));
  truncateSync(path, Math.floor(bytes / 2));
  const cut = await backups.check(name);
  assert.equal(cut.ok, false, 'one that is cut off is noticed');
  assert.notEqual(cut.text, '');
  await assert.rejects(backups.check('portcullis-other.tar.gz'), codeOf('backup.not_found'));
  await backups.remove(name);
  assert.deepEqual((await backups.list()).items, []);
});

test('a backup that cannot be made says why, and the disk is not filled with them', async () => {
  const broken = createBackups({ ...deps(), configFile: join(dir, 'missing.yaml') });
  await broken.start(true);
  await ended(broken);
  assert.match((await broken.list()).lastError ?? '', /missing\.yaml/);
  for (let n = 0; n < 5; n++) writeFileSync(join(dataDir, 'backups', `portcullis-box-${n}.tar.gz`), 'x');
  await assert.rejects(broken.start(false), codeOf('backup.too_many'));
});
