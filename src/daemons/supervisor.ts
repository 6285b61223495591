import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServerReady } from './server/index.js';

export const DAEMONS = ['server', 'responder', 'sensor'] as const;
export type Daemon = (typeof DAEMONS)[number];

/** What a daemon tells its supervisor over the process channel. */
export type DaemonMessage =
  { type: 'ready'; info: ServerReady } | { type: 'failed'; message: string; exitCode: number };

export interface SupervisorDeps {
  /** Arguments after the name of the daemon. */
  args: readonly string[];
  ready(info: ServerReady): void;
  /** Receives the daemons' log lines; without it they go to this process's stdout as they are. */
  logLine?: (line: string) => void;
  /** A daemon ended by itself and will be started again. */
  restarting(daemon: Daemon, why: string, inMs: number): void;
}

const FIRST_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 10_000;
const STABLE_MS = 30_000;
const STOP_GRACE_MS = 10_000;

/**
 * Runs the three daemons as child processes, the server first, and starts again what dies. A daemon that fails before it
 * ever worked (bad configuration, port in use, no rights) ends the whole run with its exit code.
 * @returns the exit code.
 */
export async function superviseDaemons(deps: SupervisorDeps, signal: AbortSignal): Promise<number> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  let exitCode = 0;
  const runs = DAEMONS.map((daemon) =>
    keepRunning(daemon, deps, all).then((code) => {
      if (code !== 0 && exitCode === 0) exitCode = code;
      // One that cannot run at all takes the others with it.
      stop.abort();
    }),
  );
  await Promise.all(runs);
  return exitCode;
}

async function keepRunning(daemon: Daemon, deps: SupervisorDeps, signal: AbortSignal): Promise<number> {
  let backoffMs = FIRST_BACKOFF_MS;
  let everWorked = false;
  while (!signal.aborted) {
    const startedMs = performance.now();
    const ended = await runOnce(daemon, deps, signal);
    if (signal.aborted) return 0;
    const livedMs = performance.now() - startedMs;
    everWorked ||= ended.worked || livedMs > STABLE_MS;
    if (!everWorked && ended.message !== undefined) return ended.exitCode === 0 ? 3 : ended.exitCode;
    if (livedMs > STABLE_MS) backoffMs = FIRST_BACKOFF_MS;
    deps.restarting(
      daemon,
      ended.message ?? `exit ${ended.exitCode}${ended.signal ? `, ${ended.signal}` : ''}`,
      backoffMs,
    );
    await pause(backoffMs, signal);
    backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
  }
  return 0;
}

interface Ended {
  exitCode: number;
  signal: string | null;
  /** The reason the daemon itself gave. */
  message: string | undefined;
  worked: boolean;
}

function runOnce(daemon: Daemon, deps: SupervisorDeps, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
    const stdout = deps.logLine ? 'pipe' : 'inherit';
    const child = fork(main, [daemon, ...deps.args], { stdio: ['ignore', stdout, 'inherit', 'ipc'] });
    if (child.stdout && deps.logLine) createInterface(child.stdout).on('line', deps.logLine);
    let message: string | undefined;
    let worked = false;
    child.on('message', (raw) => {
      const told = raw as DaemonMessage;
      if (told.type === 'failed') message = told.message;
      else {
        worked = true;
        if (daemon === 'server') deps.ready(told.info);
      }
    });
    const kill = stopper(child);
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    child.on('exit', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      resolve({ exitCode: code ?? 3, signal: killedBy, message, worked });
    });
    child.on('error', (error) => {
      message = error.message;
    });
  });
}

/** Asks a child to end; after the grace time it is killed. */
function stopper(child: ChildProcess): () => void {
  return () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    timer.unref();
    child.once('exit', () => {
      clearTimeout(timer);
    });
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(finish, ms);
    function finish(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    }
    signal.addEventListener('abort', finish);
  });
}
