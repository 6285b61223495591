import { AppError, errorMessage, exitCodeFor } from '../util/errors.js';

/** Tells a person what went wrong and the fix; a stack only when the fault is ours. @returns the exit code. */
export function reportError(error: unknown): number {
  process.stderr.write(`portcullis: ${errorMessage(error)}\n`);
  if (error instanceof AppError) {
    if (error.fix !== undefined) process.stderr.write(`  fix: ${error.fix}\n`);
    if (error.kind !== 'bug') return exitCodeFor(error);
  }
  if (error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
  return exitCodeFor(error);
}
