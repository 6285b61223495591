import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names are `pcl-PID-N-HOST`: PID is the process that owns the lab, so leftovers of dead ones are known. */
const PREFIX = 'pcl-';

export function netnsName(lab: number, host: string): string {
  return `${PREFIX}${process.pid}-${lab}-${host}`;
}

/** Runs `ip` with commands on its standard input; one process for any number of them. */
export function ipBatch(commands: readonly string[], netns?: string): void {
  const where = netns === undefined ? [] : ['-n', netns];
  execFileSync('ip', [...where, '-batch', '-'], {
    input: `${commands.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}

/** Makes a namespace with kernel settings; `etc` files replace those of /etc for programs started in it. */
export function makeNetns(netns: string, sysctl: Record<string, string>): void {
  execFileSync('ip', ['netns', 'add', netns]);
  const settings = Object.entries(sysctl).map(([key, value]) => `${key}=${value}`);
  if (settings.length > 0) execFileSync('ip', ['netns', 'exec', netns, 'sysctl', '-q', '-w', ...settings]);
}

/** Gives the namespace its own copy of a file in /etc (`ip netns exec` binds it over the system's). */
export function writeEtc(netns: string, name: string, text: string, mode = 0o644): void {
  const dir = join('/etc/netns', netns);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, name), text, { mode });
}

/** Ends what runs in the namespace, by process id, and removes it. Safe to call twice, also by two processes at once. */
export function removeNetns(netns: string): void {
  for (const pid of pidsIn(netns)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  try {
    if (netnsExists(netns)) execFileSync('ip', ['netns', 'delete', netns], { stdio: 'pipe' });
  } catch (error) {
    // Another lab that opens may sweep the same leftovers.
    if (netnsExists(netns)) throw error;
  }
  rmSync(join('/etc/netns', netns), { recursive: true, force: true });
}

/** Processes whose network is the namespace. */
export function pidsIn(netns: string): number[] {
  if (!netnsExists(netns)) return [];
  try {
    const text = execFileSync('ip', ['netns', 'pids', netns], { encoding: 'utf8', stdio: 'pipe' });
    return text.split('\n').filter(Boolean).map(Number);
  } catch (error) {
    if (netnsExists(netns)) throw error;
    return [];
  }
}

function netnsExists(netns: string): boolean {
  return existsSync(join('/run/netns', netns));
}

/** Removes namespaces and folders of labs whose owner is dead. Returns the names of the namespaces. */
export function sweepStale(): string[] {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const stale = names.filter((name) => {
    const owner = /^pcl-(\d+)-\d+-/.exec(name)?.[1];
    return owner !== undefined && !isNode(Number(owner));
  });
  stale.forEach(removeNetns);
  for (const name of readdirSync(tmpdir())) {
    const owner = /^portcullis-lab-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isNode(Number(owner))) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return stale;
}

/** True when the process lives and is a node: a process id that was given to something else does not count. */
function isNode(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node');
  } catch {
    return false;
  }
}
