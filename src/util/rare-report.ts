import { errorMessage } from './errors.js';
import type { Logger } from './logger.js';

const EVERY_MS = 60_000;
const MAX_KINDS = 100;

/**
 * Logs a problem that comes again and again when it is new, and then once a minute with how often it came: a database that
 * is away all night must not fill the log.
 * @param message a fixed sentence
 */
export function createRareReport(
  log: Pick<Logger, 'error'>,
  message: string,
  monoMs: () => number = () => performance.now(),
): (error: unknown) => void {
  const told = new Map<string, { atMs: number; times: number }>();
  return (error) => {
    const kind = errorMessage(error);
    const known = told.get(kind);
    if (known && monoMs() - known.atMs < EVERY_MS) {
      known.times++;
      return;
    }
    if (!known && told.size >= MAX_KINDS) told.clear();
    told.set(kind, { atMs: monoMs(), times: 0 });
    log.error({ err: error, ...(known && known.times > 0 ? { repeated: known.times } : {}) }, message);
  };
}
