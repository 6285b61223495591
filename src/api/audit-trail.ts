import type { AuditInput, AuditRecord, Store } from '../store/index.js';
import { AppError } from '../util/errors.js';
import type { Logger } from '../util/logger.js';

/** Entries that wait for the database; with so many a request fails rather than leave no trace. */
const MAX_WAITING = 1000;
const RETRY_MS = 5000;

interface Deps {
  audit: Pick<Store['audit'], 'append'>;
  /** An entry is in the database. */
  told(record: AuditRecord): void;
  log: Logger;
  now(): number;
  retryMs?: number;
}

/** What was done through the API, in the order in which it was done. */
export interface AuditTrail {
  /**
   * By now it has been done: while the database cannot be written (a full disk, a lock), the entry waits, stands in the log,
   * and the answer says what is so. @throws AppError store.* when too many wait
   */
  append(input: AuditInput): Promise<void>;
  close(): void;
}

export function createAuditTrail({ audit, told, log, now, retryMs = RETRY_MS }: Deps): AuditTrail {
  const waiting: { input: AuditInput; atMs: number }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let turn: Promise<void> = Promise.resolve();

  async function drain(): Promise<void> {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const record = await audit.append(first.input, first.atMs);
      waiting.shift();
      told(record);
    }
  }

  /** One after the other: the trail keeps the order. */
  function write(): Promise<void> {
    const done = turn.then(drain);
    turn = done.catch(() => undefined);
    return done;
  }

  function retry(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      write().catch(retry);
    }, retryMs).unref();
  }

  return {
    async append(input) {
      const entry = { input, atMs: now() };
      waiting.push(entry);
      try {
        await write();
      } catch (error) {
        const mayWait = error instanceof AppError && error.kind === 'operational' && waiting.length <= MAX_WAITING;
        if (!mayWait) {
          const at = waiting.indexOf(entry);
          if (at >= 0) waiting.splice(at, 1);
          throw error;
        }
        log.error({ err: error, audit: input }, 'An entry of the audit trail waits for the database.');
        retry();
      }
    },
    close() {
      clearTimeout(timer);
    },
  };
}
