import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../scripts/lib/npm.mjs', import.meta.url));
const { modulesMatchLock } = (await import(script)) as { modulesMatchLock: (root: string) => boolean };

const root = mkdtempSync(join(tmpdir(), 'portcullis-npm-'));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, 'node_modules'));

type Packages = Record<string, { version: string; integrity?: string; optional?: boolean }>;

function matches(locked: Packages, installed: Packages | undefined): boolean {
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }));
  const hidden = join(root, 'node_modules/.package-lock.json');
  if (installed === undefined) rmSync(hidden, { force: true });
  else writeFileSync(hidden, JSON.stringify({ packages: installed }));
  return modulesMatchLock(root);
}

test('node_modules matches when it holds the locked packages; optional ones of other platforms may be absent', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  assert.ok(matches({ 'node_modules/a': a }, { 'node_modules/a': a }));
  const other = { version: '2.0.0', optional: true };
  assert.ok(matches({ 'node_modules/a': a, 'node_modules/other-os': other }, { 'node_modules/a': a }));
});

test('node_modules does not match when it is unfinished, old, short of a package, or has other bytes', () => {
  const a = { version: '1.0.0', integrity: 'sha512-a' };
  const locked = { 'node_modules/a': a };
  assert.ok(!matches(locked, undefined));
  assert.ok(!matches(locked, {}));
  assert.ok(!matches(locked, { 'node_modules/a': { ...a, version: '0.9.0' } }));
  assert.ok(!matches(locked, { 'node_modules/a': { ...a, integrity: 'sha512-b' } }));
});
