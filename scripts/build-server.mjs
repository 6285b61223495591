// `npm run build:server`: the programs under src, bundled into dist, without checking types (`npm run typecheck` does).
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundle } from './lib/bundle.mjs';
import { ROOT } from './setup.mjs';

const DIST = join(ROOT, 'dist');

/** What earlier builds left behind would be packaged. */
function removeOthers(folder, written) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOthers(path, written);
    else if (!written.has(path)) rmSync(path);
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

const written = new Set(await bundle(ROOT, DIST));
for (const folder of ['src', 'migrations'].map((name) => join(DIST, name)))
  if (existsSync(folder)) removeOthers(folder, written);
