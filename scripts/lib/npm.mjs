import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { progress, runQuietly, SetupError } from './output.mjs';

/** Add-ons that are compiled here: .npmrc keeps install scripts of dependencies from running. */
const NATIVE = ['cap', 'better-sqlite3'];
const LOAD_CHECK = `require('cap').deviceList(); new (require('better-sqlite3'))(':memory:').close();`;
/**
 * Two files at a time, and SQLite as its authors and Debian compile it: Node's -O3 takes a third longer (40 against 30 s of
 * processor time) and what Portcullis asks of SQLite waits for the disk. What the caller's environment says wins.
 */
const BUILD_ENV = { JOBS: '2', CFLAGS: '-O2' };

/** Installs the locked npm packages when node_modules is not what package-lock.json says. */
export async function ensureNodeModules(root) {
  if (modulesMatchLock(root)) return;
  progress('npm ci: installing the locked npm packages');
  await runQuietly('npm', ['ci', '--no-progress'], { cwd: root, what: 'npm ci' });
}

/** Compiles the add-ons when this Node cannot load them. */
export async function ensureAddons(root) {
  if (loadError(root) !== undefined) await compileAddons(root);
}

/**
 * npm writes node_modules/.package-lock.json at the end of an install; an interrupted install leaves none.
 * @returns true when it names the same versions as package-lock.json, but for optional packages of other platforms.
 */
export function modulesMatchLock(root) {
  const hidden = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  const locked = readJson(join(root, 'package-lock.json'))?.packages;
  if (hidden === undefined || locked === undefined) return false;
  const paths = Object.keys(locked).filter((path) => path !== '');
  return paths.every((path) => {
    if (hidden[path] === undefined) return locked[path].optional === true || locked[path].devOptional === true;
    return hidden[path].version === locked[path].version && hidden[path].integrity === locked[path].integrity;
  });
}

async function compileAddons(root) {
  const nodedir = headersPrefix();
  if (nodedir === undefined) {
    throw new SetupError(
      `The C++ headers of Node ${process.version} (include/node/node.h) are not beside ${process.execPath}.\n` +
        'Install a Node.js that brings them, or name their prefix: npm_config_nodedir=/prefix npm start',
    );
  }
  progress(`compiling ${NATIVE.join(' and ')} (about a minute, once)`);
  const env = { ...BUILD_ENV, ...process.env, npm_config_build_from_source: 'true', npm_config_nodedir: nodedir };
  const rebuild = (name) =>
    runQuietly('npm', ['rebuild', name, '--ignore-scripts=false', '--foreground-scripts'], {
      cwd: root,
      env,
      what: `compiling ${name}`,
    });
  await Promise.all(NATIVE.map(rebuild));
  const error = loadError(root);
  if (error !== undefined) throw new SetupError(`The native add-ons were compiled but do not load:\n${error}`);
}

/** Why the add-ons cannot be loaded by this Node, or undefined when they can. */
function loadError(root) {
  const result = spawnSync(process.execPath, ['-e', LOAD_CHECK], { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? undefined : result.stderr;
}

/** The prefix with include/node/node.h of this Node, so that node-gyp never downloads headers. */
export function headersPrefix() {
  const candidates = [process.env.npm_config_nodedir, dirname(dirname(realpathSync(process.execPath)))];
  return candidates.find((prefix) => prefix && existsSync(join(prefix, 'include/node/node.h')));
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
