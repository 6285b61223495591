import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** Debian 12 as debootstrap makes it, with what the package depends on; made once and never changed. */
const CACHE = process.env['PORTCULLIS_DEBIAN'] ?? resolve('.cache/debian-12');
/** Debian's own mirror unless another is named. */
const MIRROR = process.env['PORTCULLIS_DEBIAN_MIRROR'] ? [process.env['PORTCULLIS_DEBIAN_MIRROR']] : [];
const BASE = 'systemd-sysv,dbus,ca-certificates';
/** iptables: not every kernel has nft's queue statement. */
const DEPENDENCIES = ['libpcap0.8', 'nftables', 'iproute2', 'iptables'];

/** The box and those who talk to it. */
export const BOX_ADDRESS = '198.18.0.1';
export const OUTSIDE_ADDRESSES = ['198.18.0.2', '198.18.0.3', '198.18.0.4', '198.18.0.5'];

/** A Debian 12 machine with its own systemd and network, beside a namespace `outside` that it is linked to. */
export interface Machine {
  /** The root folder as seen from here. */
  root: string;
  /** Runs a program in the machine. @returns standard output. @throws when it fails. */
  run(...argv: string[]): string;
  /** What runs a program in the machine when its arguments follow: for those that stay. */
  readonly enter: readonly string[];
  /** As run; @returns the exit code and both outputs. */
  attempt(...argv: string[]): { code: number; output: string };
  /** Runs a program in the namespace outside. */
  outside(...argv: string[]): { code: number; output: string };
  boot(): Promise<void>;
  /** Stops it as a shutdown would. */
  shutdown(): Promise<void>;
  close(): Promise<void>;
}

/** Why no machine can run here, or undefined. */
export function machineMissing(): string | undefined {
  const missing = ['debootstrap', 'systemd-nspawn', 'dpkg-deb', 'nmap'].filter((name) => !onPath(name));
  return missing.length === 0 ? undefined : `not installed: ${missing.join(', ')}`;
}

export function onPath(name: string): boolean {
  return `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`.split(':').some((dir) => existsSync(join(dir, name)));
}

/** The cached system; a run of debootstrap that was interrupted leaves none. */
export function baseSystem(): string {
  if (existsSync(CACHE)) return CACHE;
  const fresh = `${CACHE}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] as ('ignore' | 'inherit')[] };
  execFileSync('debootstrap', ['--variant=minbase', `--include=${BASE}`, 'bookworm', fresh, ...MIRROR], quiet);
  writeFileSync(join(fresh, 'etc/resolv.conf'), readFileSync('/etc/resolv.conf'));
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const install = [
    'apt-get',
    'install',
    '-y',
    '-qq',
    '-o',
    'Dpkg::Use-Pty=0',
    '--no-install-recommends',
    ...DEPENDENCIES,
  ];
  execFileSync('chroot', [fresh, 'apt-get', 'update', '-qq'], { ...quiet, env });
  execFileSync('chroot', [fresh, ...install], { ...quiet, env });
  rmSync(join(fresh, 'etc/resolv.conf'));
  execFileSync('mv', [fresh, CACHE]);
  return CACHE;
}

const BOOT_SECS = 120;

const PREFIX = 'portcullis-machine-';
const OWNER = 'owner';

/** Takes the root and the folder of a machine away, whoever still has them open. */
function removeFolder(dir: string): void {
  attempt('umount', ['--lazy', join(dir, 'root')]);
  rmSync(dir, { recursive: true, force: true });
}

/** Takes away what tests that were ended by force have left: their processes end with them, their mounts do not. */
function removeLeftovers(): void {
  for (const entry of readdirSync(tmpdir()).filter((found) => found.startsWith(PREFIX))) {
    const owner = join(tmpdir(), entry, OWNER);
    const isLeft = existsSync(owner) && !existsSync(`/proc/${readFileSync(owner, 'utf8')}`);
    if (isLeft) removeFolder(join(tmpdir(), entry));
  }
}

export function openMachine(name: string): Machine {
  removeLeftovers();
  const dir = mkdtempSync(join(tmpdir(), PREFIX));
  writeFileSync(join(dir, OWNER), String(process.pid));
  const part = (folder: string): string => join(dir, folder);
  for (const folder of ['changes', 'work', 'root']) mkdirSync(part(folder));
  const root = part('root');
  const layers = `lowerdir=${baseSystem()},upperdir=${part('changes')},workdir=${part('work')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', layers, root]);
  const box = `${name}-box`;
  const out = `${name}-out`;
  const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
  let nspawn: ChildProcess | undefined;
  const removeNetworks = (): void => {
    for (const netns of [box, out]) attempt('ip', ['netns', 'delete', netns]);
  };
  removeNetworks();
  // Whatever fails or ends this process: a signal to end is one as well.
  const removeAll = (): void => {
    nspawn?.kill('SIGKILL');
    removeFolder(dir);
    removeNetworks();
  };
  const end = (): never => process.exit(143);
  process.once('exit', removeAll);
  process.once('SIGTERM', end);
  for (const netns of [box, out]) ip('netns', 'add', netns);
  ip('-n', box, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', out);
  for (const address of OUTSIDE_ADDRESSES) ip('-n', out, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  ip('-n', out, 'link', 'set', 'eth0', 'up');
  // The machine brings its own link up, as any Debian with systemd-networkd does.
  const network = join(root, 'etc/systemd/network');
  mkdirSync(network, { recursive: true });
  writeFileSync(join(network, 'eth0.network'), `[Match]\nName=eth0\n[Network]\nAddress=${BOX_ADDRESS}/24\n`);
  const wants = join(root, 'etc/systemd/system/multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('/lib/systemd/system/systemd-networkd.service', join(wants, 'systemd-networkd.service'));

  let leader = '';

  const enter = (argv: readonly string[]): string[] => [
    ...['-t', leader, '-m', '-u', '-i', '-n', '-p', '-r', '-w', '-C'],
    ...['env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'DEBIAN_FRONTEND=noninteractive', ...argv],
  ];

  const machine: Machine = {
    root,
    get enter() {
      return ['nsenter', ...enter([])];
    },
    run: (...argv) => execFileSync('nsenter', enter(argv), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
    attempt: (...argv) => attempt('nsenter', enter(argv)),
    outside: (...argv) => attempt('ip', ['netns', 'exec', out, ...argv]),
    async boot() {
      // The namespace is entered before, so that the sysfs of the machine shows its own interfaces.
      const args = [`--net=/run/netns/${box}`, 'systemd-nspawn', '-q', '-D', root, '--boot', `--machine=${name}`];
      const plain = ['--register=no', '--keep-unit', '--console=passive', '--resolv-conf=off'];
      // Its systemd loads packet filters for IPAddressDeny.
      const rights = ['--capability=all', '--system-call-filter=bpf @keyring'];
      // Killed with this process, however that ends, and with it all of the machine: they are in its process namespace.
      const bound = ['--pdeathsig', 'KILL', 'unshare', '--pid', '--fork', '--kill-child=KILL', '--mount-proc'];
      nspawn = spawn('setpriv', [...bound, 'nsenter', ...args, ...plain, ...rights], { stdio: 'ignore' });
      const { pid } = nspawn;
      await until('the machine has started', () => {
        leader = firstChild(firstChild(String(pid)));
        return leader !== '' && machine.attempt('true').code === 0;
      });
      await until('the machine is up', () => {
        const state = machine.attempt('systemctl', 'is-system-running').output.trim();
        return state === 'running' || state === 'degraded';
      });
    },
    async shutdown() {
      if (nspawn === undefined || nspawn.exitCode !== null) return;
      const ended = once(nspawn, 'exit');
      machine.attempt('systemctl', 'poweroff');
      const timer = setTimeout(() => nspawn?.kill('SIGKILL'), 60_000);
      await ended;
      clearTimeout(timer);
    },
    async close() {
      await machine.shutdown().finally(removeAll);
      process.off('exit', removeAll);
      process.off('SIGTERM', end);
    },
  };
  return machine;
}

/** Process id of a process's first child, or nothing when it has none yet. */
function firstChild(pid: string): string {
  const path = `/proc/${pid}/task/${pid}/children`;
  return pid !== '' && existsSync(path) ? (readFileSync(path, 'utf8').trim().split(' ')[0] ?? '') : '';
}

function attempt(command: string, args: readonly string[]): { code: number; output: string } {
  try {
    const output = execFileSync(command, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    });
    return { code: 0, output };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number | null; stdout: string; stderr: string };
    return { code: status ?? -1, output: `${stdout}${stderr}` };
  }
}

/** Waits for a condition, asking four times a second. */
export async function until(what: string, holds: () => boolean, secs = BOOT_SECS): Promise<void> {
  const end = Date.now() + secs * 1000;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`not within ${secs} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
