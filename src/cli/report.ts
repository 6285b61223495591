import { showHidden } from '../domain/visible-text.js';
import { AppError, errorMessage, exitCodeFor } from '../util/errors.js';

/** What went wrong and the fix, for a person; a stack only when the fault is ours. */
export function describeError(error: unknown): string {
  const lines = [`portcullis: ${errorMessage(error)}`];
  if (error instanceof AppError) {
    if (error.fix !== undefined) lines.push(`  fix: ${error.fix}`);
    if (error.kind !== 'bug') return lines.join('\n');
  }
  if (error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  return lines.join('\n');
}

/** Prints the error on standard error. @returns the exit code. */
export function reportError(error: unknown): number {
  process.stderr.write(`${showHidden(describeError(error))}\n`);
  return exitCodeFor(error);
}
