import { accessSync, constants, mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { AppError, errorMessage } from '../util/errors.js';

/**
 * Makes a folder of ours where it is missing, and checks that it can be written.
 * @param key the configuration key that names it.
 * @throws AppError daemon.folder
 */
export function openFolder(path: string, key: string, mode = 0o750): void {
  try {
    mkdirSync(path, { recursive: true, mode });
    accessSync(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new AppError({
      kind: 'operational',
      code: 'daemon.folder',
      message: `The folder ${path} cannot be used: ${errorMessage(error)}.`,
      fix: `Let ${userInfo().username} write there, or set ${key} to another folder.`,
      cause: error,
    });
  }
}
