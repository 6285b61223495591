import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Two packages of the checkout as it is built: one, and one that is an upgrade of it. */
export interface Packages {
  /** The tree that both are made of. */
  tree: string;
  first: string;
  second: string;
  close(): void;
}

export const FIRST_VERSION = '0.1.0';
export const SECOND_VERSION = '0.1.1';

export function buildPackages(): Packages {
  const dir = mkdtempSync(join(tmpdir(), 'portcullis-package-'));
  stagePackage(dir);
  const tree = join(dir, 'deb');
  const control = join(tree, 'DEBIAN/control');
  const text = readFileSync(control, 'utf8');
  const build = (version: string): string => {
    writeFileSync(control, text.replace(/^Version: .*$/m, `Version: ${version}`));
    const file = join(dir, `portcullis_${version}.deb`);
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Zzstd', '-z1', tree, file], { stdio: 'ignore' });
    return file;
  };
  return {
    tree,
    first: build(FIRST_VERSION),
    second: build(SECOND_VERSION),
    close() {
      rmSync(dir, { recursive: true });
    },
  };
}

/** Lays out the package in a folder as `npm run package` does; takes dist/ as it is. */
export function stagePackage(dir: string): void {
  const args = ['scripts/package.mjs', '--no-build', '--stage', dir];
  execFileSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}
