import { readFile } from 'node:fs/promises';
import { AppError, errorMessage } from '../util/errors.js';

/** Text of a file that was named on the command line. @throws AppError cli.cannot_read */
export async function readInput(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw new AppError({
      kind: 'user',
      code: 'cli.cannot_read',
      message: isMissing ? `There is no file ${path}.` : `${path} cannot be read: ${errorMessage(error)}.`,
      fix: 'Check the path and the rights.',
      cause: error,
    });
  }
}
