import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { filesUnder } from './build.mjs';
import { transpile } from './transpile.mjs';

/** Folders with TypeScript that runs in tests; the rest of the project is linked to. */
const COMPILED = ['migrations', 'scripts', 'src', 'test'];
const NOT_LINKED = new Set([...COMPILED, '.git', '.cache', 'data']);

/** Where the compiled tests are, seen from the project. */
export const COMPILED_TESTS = '.cache/tests';

/** The compiled form of a test file. */
export const compiledTest = (root, file) => join(COMPILED_TESTS, relative(root, file).replace(/(?<!\.d)\.ts$/, '.js'));

/**
 * Compiles sources and tests once into a second tree of the same shape, so that two hundred test files and the programs
 * they start do not each compile what they import. The sources lie beside their compiled form, for programs that a test starts from them.
 */
export async function compileTests(root) {
  const target = join(root, COMPILED_TESTS);
  const files = COMPILED.flatMap((folder) => filesUnder(join(root, folder)));
  mkdirSync(target, { recursive: true });
  removeGone(root, target);
  for (const file of files) copyIfChanged(file, join(target, relative(root, file)));
  linkOthers(root, target);
  await transpile(root, { files, outdir: target, sourcemap: 'inline' });
}

function copyIfChanged(from, to) {
  const { mtime } = statSync(from);
  const known = statSync(to, { throwIfNoEntry: false });
  if (known !== undefined && known.mtimeMs === mtime.getTime()) return;
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
  utimesSync(to, mtime, mtime);
}

/** What has no source any more would still be found and run. */
function removeGone(root, target) {
  for (const folder of COMPILED) {
    for (const file of filesUnder(join(target, folder))) {
      const path = join(root, relative(target, file));
      if (!existsSync(path) && !existsSync(path.replace(/\.js$/, '.ts'))) rmSync(file);
    }
  }
}

function linkOthers(root, target) {
  for (const name of readdirSync(root)) {
    if (NOT_LINKED.has(name)) continue;
    const link = join(target, name);
    rmSync(link, { recursive: true, force: true });
    symlinkSync(join('..', '..', name), link);
  }
}
