import { pino } from 'pino';
import type { Logger } from '../util/logger.js';

/** JSON lines on stdout, for journald; level as configured. */
export function createLogger(daemon: string, level: string): Logger {
  return pino({
    level,
    base: { daemon },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: {
      paths: ['password', '*.password', 'token', '*.token', 'secret', '*.secret', 'err.rawPacket'],
      censor: '[hidden]',
    },
  });
}
