import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { progress, runQuietly, SetupError } from './output.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const POLICY_SAVED = '/usr/sbin/policy-rc.d.before-portcullis-setup';
const HOLD_BACK = '#!/bin/sh\n# Portcullis set-up: no daemon starts while its packages are installed.\nexit 101\n';

/** Packages of the list that are not installed. */
export function missingPackages(packages) {
  if (!hasCommand('dpkg-query')) return packages.filter((p) => p.command !== undefined && !hasCommand(p.command));
  const names = packages.map((p) => p.name);
  const query = spawnSync('dpkg-query', ['-W', '-f=${Package} ${db:Status-Status}\n', ...names], { encoding: 'utf8' });
  const installed = new Set();
  for (const line of query.stdout.split('\n')) {
    const [name, status] = line.split(' ');
    if (status === 'installed') installed.add(name);
  }
  return packages.filter((p) => !installed.has(p.name));
}

/** Installs what is missing of the list; does nothing, and needs no rights, when all is there. */
export async function ensurePackages(packages, purpose) {
  const missing = missingPackages(packages);
  if (missing.length === 0) return;
  const names = missing.map((p) => p.name);
  const why = missing.map((p) => `  ${p.name.padEnd(20)} ${p.why}`).join('\n');
  if (!hasCommand('apt-get')) {
    throw new SetupError(
      `${purpose} needs programs that are not here; install them with this system's packages:\n${why}`,
    );
  }
  if (process.getuid() !== 0) {
    throw new SetupError(
      `${purpose} needs Debian packages, and installing them needs root:\n${why}\n` +
        `run: sudo apt-get install --no-install-recommends ${names.join(' ')}`,
    );
  }
  progress(`installing ${names.length} Debian packages: ${names.join(' ')}`);
  await withDaemonsHeldBack(() => installPackages(names));
  const still = missingPackages(packages).map((p) => p.name);
  if (still.length > 0) throw new SetupError(`apt-get ended well, but these are still missing: ${still.join(' ')}`);
}

async function installPackages(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const lock = ['-o', 'DPkg::Lock::Timeout=600', '-o', 'Acquire::Retries=3'];
  await runQuietly('apt-get', [...lock, 'update', '-qq'], { what: 'apt-get update', env });
  const install = [...lock, 'install', '-y', '-qq', '--no-install-recommends', ...names];
  await runQuietly('apt-get', install, { what: 'apt-get install', env });
}

/** Packages start their daemons when they are installed; a policy-rc.d that answers 101 forbids it meanwhile. */
async function withDaemonsHeldBack(work) {
  // Ours is there only when a set-up was killed; what it saved is then still the machine's own policy.
  if (existsSync(POLICY) && readFileSync(POLICY, 'utf8') !== HOLD_BACK) renameSync(POLICY, POLICY_SAVED);
  writeFileSync(POLICY, HOLD_BACK, { mode: 0o755 });
  const restore = () => {
    rmSync(POLICY, { force: true });
    if (existsSync(POLICY_SAVED)) renameSync(POLICY_SAVED, POLICY);
  };
  const interrupted = () => {
    restore();
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, interrupted);
  try {
    await work();
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, interrupted);
    restore();
  }
}

/** True when the program is on the PATH. */
export function hasCommand(command) {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  return path.split(':').some((dir) => dir !== '' && isFile(`${dir}/${command}`));
}

function isFile(path) {
  return existsSync(path) && !lstatSync(path).isDirectory();
}

/** True when a Debian package owns the file. */
export function isPackaged(path) {
  if (!hasCommand('dpkg-query')) return false;
  try {
    execFileSync('dpkg-query', ['-S', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
