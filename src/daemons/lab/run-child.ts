import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../util/errors.js';
import type { ChildMessage, ChildTask } from './child-messages.js';

/** Compiled code forks the compiled child, sources run by a loader fork the source. */
const CHILD = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url));

/** What a child answers when all goes well. */
export type ChildAnswer = Extract<ChildMessage, { op: 'indexed' | 'analysed' }>;

export interface ChildOptions {
  /** Killed after this time. */
  timeoutMs: number;
  /** Bound on its JavaScript heap, MiB. */
  heapMib: number;
  signal?: AbortSignal;
  onProgress?(packets: number): void;
}

/**
 * Runs one task in a process of its own.
 * @throws AppError lab.timeout, lab.cancelled, lab.died, or what the child reports.
 */
export function runChild(task: ChildTask, options: ChildOptions): Promise<ChildAnswer> {
  return new Promise((resolve, reject) => {
    const child = fork(CHILD, {
      execArgv: [
        ...process.execArgv.filter((arg) => !arg.startsWith('--inspect') && arg !== '--test'),
        `--max-old-space-size=${options.heapMib}`,
      ],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'json',
    });
    let failure: AppError | undefined;
    let answer: ChildAnswer | undefined;
    const end = (error: AppError): void => {
      failure ??= error;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => {
      end(
        new AppError({
          kind: 'user',
          code: 'lab.timeout',
          message: `The analysis did not end within ${options.timeoutMs / 1000} s.`,
          fix: 'Split the capture, or raise lab.timeout_secs.',
        }),
      );
    }, options.timeoutMs);
    const cancel = (): void => {
      end(new AppError({ kind: 'user', code: 'lab.cancelled', message: 'The analysis was cancelled.' }));
    };
    options.signal?.addEventListener('abort', cancel, { once: true });
    child.on('message', (raw) => {
      const message = raw as ChildMessage;
      if (message.op === 'progress') options.onProgress?.(message.packets);
      else if (message.op === 'failed') failure ??= new AppError(message.problem);
      else answer = message;
    });
    child.on('error', (cause) => {
      failure ??= new AppError({
        kind: 'operational',
        code: 'lab.died',
        message: 'The analysis could not start.',
        cause,
      });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', cancel);
      if (answer && !failure) resolve(answer);
      else {
        reject(
          failure ??
            new AppError({
              kind: 'user',
              code: 'lab.died',
              message: `The analysis ended without a result (${signal ?? `exit ${code}`}).`,
              fix: 'The capture may need more memory than lab.heap_mib allows.',
            }),
        );
      }
    });
    if (options.signal?.aborted) cancel();
    else
      child.send(
        task,
        (error) =>
          error &&
          end(
            new AppError({
              kind: 'operational',
              code: 'lab.died',
              message: 'The analysis could not start.',
              cause: error,
            }),
          ),
      );
  });
}
