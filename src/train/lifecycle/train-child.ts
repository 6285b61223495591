import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { AppError } from '../../util/errors.js';

export interface ChildTrainingOptions {
  /** Path of the command line's entry, cli/main.js. */
  main: string;
  /** Command and arguments, e.g. ['train', '--data', 'a.csv', '--algorithm', 'svm', '--out', 'dir']. */
  args: readonly string[];
  /** Bound of the JavaScript heap, MiB; typed arrays come on top, bounded by --max-rows. */
  maxHeapMiB: number;
  onProgress?: (step: string, done: number, total: number) => void;
  signal?: AbortSignal;
}

/**
 * Trains in a process of its own, at low priority: what it uses it gives back, and if it is killed nothing was
 * replaced. Resolves when the bundle is written. @throws AppError with the child's message.
 */
export function trainInChild(options: ChildTrainingOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [
        ...process.execArgv,
        `--max-old-space-size=${options.maxHeapMiB}`,
        options.main,
        ...options.args,
        '--progress',
        'json',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'], signal: options.signal },
    );
    if (child.pid !== undefined) lowerPriority(child.pid);
    const problems: string[] = [];
    let rest = '';
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (!reportProgress(line, options)) problems.push(line);
    });
    child.on('error', (error) => {
      reject(options.signal?.aborted === true ? cancelled() : error);
    });
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else if (options.signal?.aborted === true) reject(cancelled());
      else
        reject(
          childFailed(
            code,
            signal,
            [...problems, rest].filter((l) => l !== ''),
          ),
        );
    });
  });
}

/** Training takes what capture and scoring leave. */
function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It trains all the same.
  }
}

function cancelled(): AppError {
  return new AppError({
    kind: 'user',
    code: 'train.cancelled',
    message: 'Training was cancelled; the model in use was not changed.',
  });
}

function reportProgress(line: string, { onProgress }: ChildTrainingOptions): boolean {
  if (!line.startsWith('{"step":')) return false;
  const { step, done, total } = JSON.parse(line) as { step: string; done: number; total: number };
  onProgress?.(step, done, total);
  return true;
}

function childFailed(code: number | null, signal: NodeJS.Signals | null, lines: readonly string[]): AppError {
  const isMemory = signal === 'SIGKILL' || signal === 'SIGABRT' || code === 134 || code === 137;
  return new AppError({
    kind: code === 1 ? 'user' : 'operational',
    code: isMemory ? 'train.out_of_memory' : 'train.child_failed',
    message: isMemory
      ? `Training was stopped (${signal ?? `exit code ${code}`}); the model in use was not changed.`
      : `Training failed: ${lines[0]?.replace(/^portcullis: /, '') ?? `exit code ${code}`}`,
    fix: isMemory
      ? 'Give it more memory or fewer rows (--max-rows).'
      : (lines[1]?.replace(/^\s*fix: /, '') ?? 'See the log.'),
  });
}
