// `npm run build:server`: src and migrations into dist, without checking types (`npm run typecheck` does).
import { existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { filesUnder } from './lib/build.mjs';
import { transpile } from './lib/transpile.mjs';
import { ROOT } from './setup.mjs';

const FOLDERS = ['src', 'migrations'];
const DIST = join(ROOT, 'dist');

/** Compiled files whose source is gone would still be loaded. */
function removeOrphans() {
  for (const file of FOLDERS.flatMap((folder) => filesUnder(join(DIST, folder)))) {
    const source = join(ROOT, relative(DIST, file)).replace(/\.js(\.map)?$/, '.ts');
    if (/\.js(\.map)?$/.test(file) && !existsSync(source)) rmSync(file);
  }
}

removeOrphans();
await transpile(ROOT, {
  files: FOLDERS.flatMap((folder) => filesUnder(join(ROOT, folder))),
  outdir: DIST,
  sourcemap: 'linked',
});
