import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { INLINE_NODE_ARGS } from './inline/node-args.js';
import type { ServerReady } from './server/index.js';

/** Those of every box; the inline daemon comes with its section of the configuration. */
export const DAEMONS = ['server', 'responder', 'sensor', 'inline'] as const;
export type Daemon = (typeof DAEMONS)[number];

/** What a daemon tells its supervisor over the process channel. */
export type DaemonMessage =
  | { type: 'ready'; info?: ServerReady }
  /** `text` is for people: what is wrong, and the fix. */
  | { type: 'failed'; text: string; exitCode: number };

export interface SupervisorDeps {
  /** Which to run; all but `inline` unless given. */
  daemons?: readonly Daemon[];
  /** Arguments after the name of the daemon. */
  args: readonly string[];
  /** The server made the first account: told at once, because the others may fail and the password is not shown again. */
  firstLogin(login: NonNullable<ServerReady['firstLogin']>): void;
  /** All three work; called once. */
  ready(info: ServerReady): void;
  /** A daemon cannot run at all, which ends the run; called once. */
  failed(text: string): void;
  /** Receives the daemons' log lines; without it they go to this process's stdout as they are. */
  logLine?: (line: string) => void;
  /** A daemon ended by itself and will be started again. */
  restarting(daemon: Daemon, why: string, inMs: number): void;
  /** Calls the function when the server is to read its settings again. @returns ends that. */
  onReload?(reload: () => void): () => void;
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
  const daemons = deps.daemons ?? DAEMONS.filter((daemon) => daemon !== 'inline');
  const waitingFor = new Set<Daemon>(daemons);
  let info: ServerReady | undefined;
  let exitCode = 0;
  const onReady = (daemon: Daemon, told: ServerReady | undefined): void => {
    if (told?.firstLogin && info === undefined) deps.firstLogin(told.firstLogin);
    info ??= told;
    if (waitingFor.delete(daemon) && waitingFor.size === 0 && info) deps.ready(info);
  };
  const runs = daemons.map((daemon) =>
    keepRunning(daemon, { ...deps, onReady }, all).then((failure) => {
      if (failure && exitCode === 0) {
        exitCode = failure.exitCode === 0 ? 3 : failure.exitCode;
        deps.failed(failure.text ?? '');
      }
      // One that cannot run at all takes the others with it.
      stop.abort();
    }),
  );
  await Promise.all(runs);
  return exitCode;
}

interface RunDeps extends SupervisorDeps {
  onReady(daemon: Daemon, info: ServerReady | undefined): void;
}

/** @returns how it failed, if it never worked; undefined when it was asked to end. */
async function keepRunning(daemon: Daemon, deps: RunDeps, signal: AbortSignal): Promise<Ended | undefined> {
  let backoffMs = FIRST_BACKOFF_MS;
  let everWorked = false;
  while (!signal.aborted) {
    const startedMs = performance.now();
    const ended = await runOnce(daemon, deps, signal);
    if (signal.aborted) return undefined;
    const livedMs = performance.now() - startedMs;
    everWorked ||= ended.worked || livedMs > STABLE_MS;
    if (!everWorked && ended.text !== undefined) return ended;
    if (livedMs > STABLE_MS) backoffMs = FIRST_BACKOFF_MS;
    deps.restarting(
      daemon,
      ended.text ?? `exit ${ended.exitCode}${ended.signal ? `, ${ended.signal}` : ''}`,
      backoffMs,
    );
    await pause(backoffMs, signal);
    backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
  }
  return undefined;
}

interface Ended {
  exitCode: number;
  signal: string | null;
  /** The reason the daemon itself gave. */
  text: string | undefined;
  worked: boolean;
}

function runOnce(daemon: Daemon, deps: RunDeps, signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const main = fileURLToPath(new URL('../cli/main.js', import.meta.url));
    const stdout = deps.logLine ? 'pipe' : 'inherit';
    const execArgv = [...process.execArgv, ...(daemon === 'inline' ? INLINE_NODE_ARGS : [])];
    const child = fork(main, [daemon, ...deps.args], { stdio: ['ignore', stdout, 'inherit', 'ipc'], execArgv });
    if (child.stdout && deps.logLine) createInterface(child.stdout).on('line', deps.logLine);
    let text: string | undefined;
    let worked = false;
    child.on('message', (raw) => {
      const told = raw as DaemonMessage;
      if (told.type === 'failed') text = told.text;
      else {
        worked = true;
        deps.onReady(daemon, told.info);
      }
    });
    const kill = stopper(child);
    signal.addEventListener('abort', kill, { once: true });
    // Before it is ready the signal would end it.
    const reload = (): boolean => worked && child.kill('SIGHUP');
    const stopReloading = daemon === 'server' ? deps.onReload?.(reload) : undefined;
    if (signal.aborted) kill();
    child.on('exit', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      stopReloading?.();
      resolve({ exitCode: code ?? 3, signal: killedBy, text, worked });
    });
    child.on('error', (error) => {
      text = error.message;
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
