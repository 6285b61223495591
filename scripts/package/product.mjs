import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync, spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { filesUnder } from '../lib/build.mjs';
import { hasCommand } from '../lib/debian.mjs';
import { SetupError } from '../lib/output.mjs';
import { copyModules } from './modules.mjs';

/** Read by people on the box; pictures and records of decisions stay in the repository. */
const DOCS = /^(?!images\/|adr\/|openapi\.json).*$/;

/**
 * Puts the product into an empty folder as it lies in /usr/lib/portcullis: what was built, the packages it needs to run, and
 * the Node.js that ran this script. Nothing in it refers to the checkout.
 */
export function stageProduct(root, dest) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  mkdirSync(join(dest, 'bin'), { recursive: true });
  writeFileSync(
    join(dest, 'package.json'),
    `${JSON.stringify({ name, version, license, private: true, type: 'module' }, undefined, 2)}\n`,
  );
  cpSync(join(root, 'LICENSE'), join(dest, 'LICENSE'));
  for (const folder of ['src', 'admin-ui']) copyBuilt(join(root, 'dist', folder), join(dest, 'dist', folder));
  for (const folder of ['models', 'policies']) cpSync(join(root, folder), join(dest, folder), { recursive: true });
  copyModules(root, join(dest, 'node_modules'));
  copyNode(dest);
  cpSync(join(root, 'scripts/package/portcullis.sh'), join(dest, 'bin/portcullis'));
  chmodSync(join(dest, 'bin/portcullis'), 0o755);
  return version;
}

/** The documents that come along, relative to `docs`. */
export function stageDocs(root, dest) {
  for (const file of filesUnder(join(root, 'docs'))) {
    const path = file.slice(join(root, 'docs').length + 1);
    if (!DOCS.test(path)) continue;
    mkdirSync(dirname(join(dest, path)), { recursive: true });
    cpSync(file, join(dest, path));
  }
}

/** Source maps point at sources that are not in the package. */
function copyBuilt(from, to) {
  if (!existsSync(from)) throw new SetupError(`${from} is missing: npm run build makes it.`);
  cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.map') });
  for (const file of filesUnder(to).filter((path) => path.endsWith('.js'))) {
    const text = readFileSync(file, 'utf8');
    const without = text.replace(/\n\/\/# sourceMappingURL=\S+\n?$/, '\n');
    if (without !== text) writeFileSync(file, without);
  }
}

/** Node.js itself: distributions ship versions that are too old, and a firewall box should not need a foreign repository. */
function copyNode(dest) {
  const node = realpathSync(process.execPath);
  const needed = spawnSync('ldd', [node], { encoding: 'utf8' }).stdout ?? '';
  if (/libnode\.so/.test(needed)) {
    throw new SetupError(
      `${node} is only a loader for libnode.so and cannot be put into a package.\n` +
        'Run `npm run package` with a Node.js from nodejs.org or NodeSource.',
    );
  }
  const target = join(dest, 'bin/node');
  cpSync(node, target);
  if (hasCommand('strip')) execFileSync('strip', [target]);
  chmodSync(target, 0o755);
  cpSync(nodeLicense(node), join(dest, 'bin/node.LICENSE'));
}

function nodeLicense(node) {
  const prefix = dirname(dirname(node));
  const places = ['LICENSE', 'share/doc/node/LICENSE', 'share/doc/nodejs/LICENSE', 'share/doc/nodejs/copyright'];
  const found = places.map((place) => join(prefix, place)).find((path) => existsSync(path));
  if (found === undefined) throw new SetupError(`The licence of Node.js is not beside ${node}; it must come along.`);
  return found;
}

/** Starts the staged product with the staged Node: add-ons that do not load must not be shipped. */
export function proveProduct(dest, version) {
  const run = (args) => execFileSync(join(dest, 'bin', args[0]), args.slice(1), { cwd: dest, encoding: 'utf8' });
  const said = run(['portcullis', '--version']).trim();
  if (said !== version) throw new SetupError(`The staged program says it is ${said}, package.json says ${version}.`);
  const addons = "for (const n of ['better-sqlite3','cap','koffi','onnxruntime-node']) require(n)";
  run(['node', '-e', `${addons}; new (require('better-sqlite3'))(':memory:').close()`]);
}

/** An empty folder. */
export function emptyFolder(path) {
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path, { recursive: true });
  return path;
}
