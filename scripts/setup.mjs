// Makes a fresh clone runnable: `node scripts/setup.mjs` for running, `--tests` for the test programs as well.
// No dependencies: it runs before node_modules exists. Steps that have nothing to do say nothing.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt } from './lib/build.mjs';
import { ensurePackages, hasCommand, isPackaged } from './lib/debian.mjs';
import { ensureAddons, ensureNodeModules, headersPrefix } from './lib/npm.mjs';
import { runScript, SetupError } from './lib/output.mjs';
import { DEMO_PACKAGES, RUN_PACKAGES, TEST_PACKAGES } from './lib/packages.mjs';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const NODE_MINIMUM = [20, 19];

/** Makes everything ready. `tests` and `demo` add the programs that these use. */
export async function setup(uses = {}) {
  await install(uses);
  // What is compiled from installed packages, side by side.
  await Promise.all([ensureAddons(ROOT), ensureBuilt(ROOT)]);
}

/** Brings the Debian packages and node_modules up to date. */
export async function install({ tests = false, demo = false }) {
  checkNode();
  // Debian's own nodejs keeps its headers in a package of their own.
  const headers = headersPrefix() === undefined && isPackaged(process.execPath);
  const run = headers
    ? [...RUN_PACKAGES, { name: 'libnode-dev', why: 'headers that the add-ons are compiled with' }]
    : RUN_PACKAGES;
  await ensurePackages(run, 'Portcullis');
  if (tests) await ensurePackages(TEST_PACKAGES, 'npm test');
  if (demo) await ensurePackages(DEMO_PACKAGES, 'The demo');
  await ensureNodeModules(ROOT);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const [needMajor, needMinor] = NODE_MINIMUM;
  if (major < needMajor || (major === needMajor && minor < needMinor)) {
    throw new SetupError(`Node ${needMajor}.${needMinor} or newer is needed; this is ${process.version}.`);
  }
  if (!hasCommand('npm'))
    throw new SetupError('npm is not on the PATH; it comes with Node.js, on Debian as package npm.');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await runScript(() => setup({ tests: process.argv.includes('--tests') }));
}
