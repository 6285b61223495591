import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';

/** A moment before anything of this is built. */
const EPOCH_SECS = 1_767_225_600;
const dir = mkdtempSync(join(tmpdir(), 'portcullis-twice-'));
after(() => rmSync(dir, { recursive: true }));

/** Lays out the package as a builder in that time zone and with that umask would. */
function stage(name: string, timeZone: string, umask: string): string {
  const tree = join(dir, name);
  const command = `umask ${umask} && exec "$0" scripts/package.mjs --no-build --stage "$1"`;
  const env = { ...process.env, TZ: timeZone, SOURCE_DATE_EPOCH: String(EPOCH_SECS), LANG: 'C.UTF-8' };
  execFileSync('sh', ['-c', command, process.execPath, tree], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return join(tree, 'deb');
}

/** As `npm run package` calls it, but for the compression, which has no influence on this and takes a minute. */
function build(tree: string): string {
  const file = `${tree}.deb`;
  const env = { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH_SECS), LC_ALL: 'C.UTF-8' };
  execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zzstd', '-z1', tree, file], { env, stdio: 'ignore' });
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

test('the same sources give the same package to the last byte, whoever builds it', () => {
  const first = stage('a', 'UTC', '022');
  const second = stage('b', 'Asia/Kolkata', '077');
  const hash = build(first);
  assert.equal(build(second), hash);
  appendFileSync(join(second, 'usr/lib/portcullis/package.json'), ' ');
  assert.notEqual(build(second), hash, 'the control: one byte more is another package');
});
