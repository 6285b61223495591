import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCapture, type Capture } from './capture.js';
import { ipBatch, makeNetns, netnsName, removeNetns, sweepStale, writeEtc } from './netns.js';
import { LabProcess, type Ended, type StartOptions } from './process.js';
import { startServices, type ServiceName, type Services } from './services/index.js';
import { ADDRESS, devicesOf, HOSTS, hostCommands, linkCommands, sysctls, type HostName } from './topology.js';

export interface LabOptions {
  /** Services to start; none by default. They are ready when `openLab` returns. */
  services?: readonly ServiceName[];
  /** Keeps the working folder (logs, configurations) after `close`. */
  keepDir?: boolean;
}

/** A host of the lab: a network namespace. */
export interface Host {
  name: HostName;
  netns: string;
  ip4: string;
  ip6: string;
  /** Starts a program and returns at once. */
  start(command: string, args: readonly string[], options?: StartOptions): LabProcess;
  /** Runs a program to its end, at most `limitSecs` (60 by default). Its exit code is the caller's business. */
  run(command: string, args: readonly string[], options?: StartOptions): Promise<Ended>;
}

export interface Lab {
  /** Working folder: configurations, logs, captures unless said otherwise. */
  dir: string;
  hosts: Record<HostName, Host>;
  services: Services;
  /** Starts tcpdump on a router interface. */
  capture(file: string, device?: 'wan0' | 'lan0'): Promise<Capture>;
  /** Ends every program and removes every namespace. */
  close(): Promise<void>;
}

const OFFLOADS = ['tx', 'tso', 'gso', 'gro'].flatMap((feature) => [feature, 'off']);
const open = new Map<string, string[]>();
let count = 0;

/**
 * Builds the network of topology.ts and starts services on it. Needs root, `ip` and `ethtool`. Whatever happens to this
 * process short of SIGKILL, its namespaces go with it; what a SIGKILL leaves is removed by the next lab.
 */
export async function openLab(options: LabOptions = {}): Promise<Lab> {
  if (process.getuid?.() !== 0) throw new Error('The lab makes network namespaces, which needs root.');
  sweepStale();
  removeOnExit();
  const id = count++;
  const netnsOf = (host: HostName): string => netnsName(id, host);
  const names = HOSTS.map(netnsOf);
  const dir = mkdtempSync(join(tmpdir(), `portcullis-lab-${process.pid}-`));
  chmodSync(dir, 0o755);
  open.set(dir, names);
  const close = async (): Promise<void> => {
    names.forEach(removeNetns);
    open.delete(dir);
    if (!options.keepDir) rmSync(dir, { recursive: true, force: true });
    return Promise.resolve();
  };
  try {
    buildNetwork(netnsOf);
    const hosts = Object.fromEntries(HOSTS.map((name) => [name, makeHost(name, netnsOf(name))])) as Record<
      HostName,
      Host
    >;
    const services = await startServices(options.services ?? [], hosts, dir);
    const capture = (file: string, device: 'wan0' | 'lan0' = 'wan0') => startCapture(hosts.router, device, file);
    return { dir, hosts, services, capture, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function buildNetwork(netnsOf: (host: HostName) => string): void {
  for (const host of HOSTS) makeNetns(netnsOf(host), sysctls(host));
  ipBatch(linkCommands(netnsOf));
  for (const host of HOSTS) {
    ipBatch(hostCommands(host), netnsOf(host));
    writeEtc(netnsOf(host), 'resolv.conf', `nameserver ${ADDRESS.victim.ip4}\noptions timeout:1 attempts:1\n`);
    for (const device of devicesOf(host)) offloadsOff(netnsOf(host), device);
  }
}

/** Captures shall show the frames that a wire would carry: full checksums, no merged segments. */
function offloadsOff(netns: string, device: string): void {
  execFileSync('ip', ['netns', 'exec', netns, 'ethtool', '-K', device, ...OFFLOADS], { stdio: 'ignore' });
}

function makeHost(name: HostName, netns: string): Host {
  const start = (command: string, args: readonly string[], options?: StartOptions): LabProcess =>
    new LabProcess(netns, command, args, options);
  const run = (command: string, args: readonly string[], options: StartOptions = {}): Promise<Ended> =>
    start(command, args, { limitSecs: 60, ...options }).ended;
  return { name, netns, ...ADDRESS[name], start, run };
}

function removeAll(): void {
  for (const [dir, names] of open) {
    names.forEach(removeNetns);
    rmSync(dir, { recursive: true, force: true });
  }
  open.clear();
}

let watching = false;
function removeOnExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', removeAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));
}
