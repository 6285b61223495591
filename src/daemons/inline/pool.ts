import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadedConfig } from '../../config/index.js';
import type { InlineCommand } from '../../contract/inline.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { INLINE_NODE_ARGS } from './node-args.js';
import { startWorker, type Worker, type WorkerSink, type WorkerState } from './worker.js';

const BEAT_MS = 200;
const RESTART_MS = 500;
const START_MS = 30_000;

/** What a worker process tells the daemon. */
export type ChildMessage =
  | { type: 'ready' }
  | { type: 'failed'; code: string; message: string; fix: string }
  | { type: 'beat'; state: WorkerState }
  | { type: 'out'; name: keyof WorkerSink; value: unknown };
export type ChildCommand =
  | { type: 'start'; config: LoadedConfig; number: number }
  | { type: 'command'; command: InlineCommand }
  | { type: 'stop'; drainMs: number };

/** One worker as it last said, and whether it shows life. */
export interface WorkerReport {
  queue: number;
  isAlive: boolean;
  state: WorkerState;
}

/** The workers of all queues: one in this process, or with `fanout` each in its own. */
export interface WorkerPool {
  command(command: InlineCommand): void;
  /** Those that have reported; alive: they have shown life within this time. */
  workers(withinMs: number): WorkerReport[];
  /** True when every worker has shown life within this time. */
  areAlive(withinMs: number): boolean;
  /** Ends and starts anew those that have not. */
  replaceDead(afterMs: number): void;
  stop(drainMs: number): Promise<void>;
}

export async function startPool(config: LoadedConfig, out: WorkerSink, log: Logger): Promise<WorkerPool> {
  const { first, fanout } = config.inline.queue;
  if (fanout === 1) return single(first, startWorker(config, first, out, log));
  const children = Array.from({ length: fanout }, (_, i) => new WorkerProcess(config, first + i, out, log));
  try {
    await Promise.all(children.map((child) => child.ready));
  } catch (error) {
    await Promise.all(children.map((child) => child.stop(0)));
    throw error;
  }
  return {
    command(command) {
      for (const child of children) child.command(command);
    },
    workers: (withinMs) => children.flatMap((child) => child.report(withinMs) ?? []),
    areAlive: (withinMs) => children.every((child) => performance.now() - child.seenMs < withinMs),
    replaceDead(afterMs) {
      for (const child of children) if (performance.now() - child.seenMs > afterMs) child.kill();
    },
    async stop(drainMs) {
      await Promise.all(children.map((child) => child.stop(drainMs)));
    },
  };
}

/** The daemon's own life is the worker's. */
function single(queue: number, worker: Worker): WorkerPool {
  return {
    command: (command) => worker.command(command),
    workers: () => [{ queue, isAlive: true, state: worker.state() }],
    areAlive: () => true,
    replaceDead: () => undefined,
    stop: (drainMs) => worker.stop(drainMs),
  };
}

/** A worker in a process of its own, started again when it ends. */
class WorkerProcess {
  state: WorkerState | undefined;
  seenMs = performance.now();
  readonly ready: Promise<void>;
  private child: ChildProcess | undefined;
  private isStopping = false;
  /** The last command of each kind, for a worker that is started again. */
  private readonly told = new Map<string, InlineCommand>();
  private readonly config: LoadedConfig;
  private readonly number: number;
  private readonly out: WorkerSink;
  private readonly log: Logger;

  constructor(config: LoadedConfig, number: number, out: WorkerSink, log: Logger) {
    this.config = config;
    this.number = number;
    this.out = out;
    this.log = log;
    this.ready = new Promise((resolve, reject) => this.start(resolve, reject));
  }

  command(command: InlineCommand): void {
    if (command.type === 'mode' || command.type === 'policies') this.told.set(command.type, command);
    this.send({ type: 'command', command });
  }

  report(withinMs: number): WorkerReport | undefined {
    if (this.state === undefined) return undefined;
    const silentMs = performance.now() - this.seenMs;
    // While it starts, the time at which it must have shown life lies ahead.
    return { queue: this.number, isAlive: silentMs >= 0 && silentMs < withinMs, state: this.state };
  }

  kill(): void {
    this.child?.kill('SIGKILL');
  }

  async stop(drainMs: number): Promise<void> {
    this.isStopping = true;
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.send({ type: 'stop', drainMs });
    const timer = setTimeout(() => this.kill(), drainMs + 2000);
    await ended;
    clearTimeout(timer);
  }

  private start(resolve: () => void, reject: (error: Error) => void): void {
    const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
      execArgv: [...process.execArgv.filter((arg) => !INLINE_NODE_ARGS.includes(arg)), ...INLINE_NODE_ARGS],
    });
    this.child = child;
    this.seenMs = performance.now() + START_MS;
    child.on('message', (raw) => {
      const message = raw as ChildMessage;
      if (message.type === 'failed') reject(failure(message));
      else if (message.type === 'ready') {
        this.seenMs = performance.now();
        for (const command of this.told.values()) this.send({ type: 'command', command });
        resolve();
      } else if (message.type === 'beat') {
        this.seenMs = performance.now();
        this.state = message.state;
      } else (this.out[message.name] as (value: unknown) => void)(message.value);
    });
    child.on('exit', (exitCode, signal) => {
      reject(new Error('The worker ended before it worked.'));
      if (this.isStopping) return;
      this.seenMs = -Infinity;
      this.log.error({ queue: this.number, exitCode, signal }, 'A worker ended; it is started again.');
      this.out.transition({
        severity: 'high',
        code: 'inline.worker_ended',
        message: `The worker of queue ${this.number} ended (${signal ?? `exit ${exitCode}`}); it is started again.`,
        details: { queue: this.number },
      });
      setTimeout(() => {
        if (!this.isStopping) this.start(resolve, () => undefined);
      }, RESTART_MS).unref();
    });
    this.send({ type: 'start', config: this.config, number: this.number });
  }

  private send(command: ChildCommand): void {
    if (this.child?.connected) this.child.send(command, () => undefined);
  }
}

function failure({ code, message, fix }: Extract<ChildMessage, { type: 'failed' }>): AppError {
  return new AppError({ kind: 'operational', code, message, fix });
}

export { BEAT_MS };
