import type { SiemReload } from '../../contract/http.js';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';

/**
 * SIGHUP reads the `siem:` section again. A section with problems changes nothing: it is reported and the destinations go
 * on as they were. @returns how to stop listening.
 */
export function reloadOnHangup(reload: () => Promise<SiemReload> | SiemReload, log: Logger): () => void {
  let turn: Promise<void> = Promise.resolve();
  const onHangup = (): void => {
    turn = turn.then(async () => {
      try {
        log.info({ ...(await reload()) }, 'The SIEM destinations were read again.');
      } catch (error) {
        log.error({ problem: errorMessage(error) }, 'The SIEM destinations were not changed.');
      }
    });
  };
  process.on('SIGHUP', onHangup);
  return () => process.off('SIGHUP', onHangup);
}
