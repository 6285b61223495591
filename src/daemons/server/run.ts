import type { LoadedConfig } from '../../config/index.js';
import { readMemberFile } from '../../fleet/index.js';
import type { Logger } from '../../util/logger.js';
import type { ServerReady } from './index.js';

/**
 * The server daemon of this machine: with database and console, or that of a box in a fleet, which has neither and loads
 * nothing of them.
 * @throws AppError fleet.folder, and what the two say.
 */
export async function runServerDaemon(
  config: LoadedConfig,
  log: Logger,
  signal: AbortSignal,
  ready: (info: ServerReady) => void,
): Promise<void> {
  const { folder } = config.fleet;
  if (folder !== undefined && readMemberFile(folder).role === 'box') {
    const { runBoxServer } = await import('./box.js');
    return runBoxServer(config, folder, log, signal, ready);
  }
  const { runServer } = await import('./index.js');
  return runServer(config, log, signal, ready);
}
