import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../util/errors.js';

const START_TIMEOUT_MS = 30_000;

/** A child process that measures: fresh compiler state, its own CPU and memory figures, maybe its own network. */
export interface Worker {
  pid: number;
  /** Sends a line and answers the worker's next line. */
  ask(command: string): Promise<Record<string, unknown>>;
  /** The worker's next line. */
  next(): Promise<Record<string, unknown>>;
  stop(): void;
}

/** @param netns network namespace to run in; this process's own without. */
export function startWorker(task: string, options: object, netns?: string): Worker {
  const self = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./worker${self.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
  const command = [process.execPath, ...process.execArgv, entry, task, JSON.stringify(options)];
  const argv = netns === undefined ? command : ['ip', 'netns', 'exec', netns, ...command];
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
  return talkTo(child, task);
}

function talkTo(child: ChildProcess, task: string): Worker {
  const lines: string[] = [];
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  let errors = '';
  let failure: Error | undefined;
  child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2000)));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const first = waiting.shift();
    if (first === undefined) lines.push(line);
    else first.resolve(line);
  });
  const fail = (text: string): void => {
    failure = new AppError({
      kind: 'operational',
      code: 'bench.worker_failed',
      message: `The ${task} worker ${text}: ${errors.trim()}`,
    });
    for (const { reject } of waiting.splice(0)) reject(failure);
  };
  child.on('error', (error) => fail(`did not start (${error.message})`));
  child.on('close', (code) => fail(`ended with code ${code}`));
  const next = async (): Promise<Record<string, unknown>> => {
    const line = lines.shift() ?? (await waitForLine());
    return JSON.parse(line) as Record<string, unknown>;
  };
  const waitForLine = (): Promise<string> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      const timer = setTimeout(() => fail('gave no answer'), START_TIMEOUT_MS * 4);
      const settle =
        <T>(action: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          action(value);
        };
      waiting.push({ resolve: settle(resolve), reject: settle(reject) });
    });
  return {
    pid: child.pid ?? 0,
    next,
    ask(command) {
      child.stdin?.write(`${command}\n`);
      return next();
    },
    stop() {
      child.stdin?.end();
      if (child.exitCode === null) child.kill();
    },
  };
}
