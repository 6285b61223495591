import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { SetupError } from '../lib/output.mjs';

/** Files that Node never loads: types, source maps, manuals. Licences stay. */
const NEVER_LOADED = /\.(map|d\.ts|d\.mts|d\.cts|flow|markdown|md)$/i;
const LICENCE = /^(licen[cs]e|copying|notice|authors)/i;

/** What is kept of packages that bring sources or other platforms: paths below the package. */
const KEEP = {
  'better-sqlite3': [/^lib\//, /^build\/Release\/better_sqlite3\.node$/],
  cap: [/^lib\//, /^build\/Release\/cap\.node$/],
  koffi: [/^(index|indirect)\.[a-z]+$/, /^(lib|src)\/.*\.c?js$/],
  [`@koromix/koffi-linux-${process.arch}`]: [/^[^/]+$/, new RegExp(`^linux_${process.arch}/`)],
  'onnxruntime-node': [/^[^/]+$/, /^(dist|lib)\//, new RegExp(`^bin/napi-v\\d+/linux/${process.arch}/`)],
  typeorm: [/^(?!browser\/)/],
};

/** `name@version` of every package that comes along. */
export function productionPackages(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return new Set(productionPaths(root).map((path) => `${nameOf(path)}@${packages[path].version}`));
}

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Paths of package-lock.json that a running Portcullis needs, as far as they are installed on this platform. */
export function productionPaths(root) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages).flatMap(([path, entry]) => {
    if (path === '' || entry.dev === true || entry.devOptional === true) return [];
    if (existsSync(join(root, path))) return [path];
    if (entry.optional === true) return [];
    throw new SetupError(`${path} is not installed: npm run setup brings node_modules up to date.`);
  });
}

/** Copies the production packages, with the add-ons as they were compiled here, and leaves out what is never loaded. */
export function copyModules(root, dest) {
  for (const path of productionPaths(root)) {
    const keep = KEEP[nameOf(path)];
    const to = join(dest, relative('node_modules', path));
    for (const file of filesOf(join(root, path))) {
      if (!isWanted(file, keep)) continue;
      mkdirSync(dirname(join(to, file)), { recursive: true });
      cpSync(join(root, path, file), join(to, file));
    }
  }
}

function isWanted(file, keep) {
  if (basename(file) === 'package.json' || LICENCE.test(basename(file))) return true;
  return !NEVER_LOADED.test(file) && (keep === undefined || keep.some((pattern) => pattern.test(file)));
}

/** Files of a package, relative to it; nested packages have entries of their own in the lock file. */
function filesOf(folder, below = '') {
  const entries = readdirSync(join(folder, below), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.name === 'node_modules') return [];
    return entry.isDirectory() ? filesOf(folder, path) : [path];
  });
}
