import type { Logger } from '../util/logger.js';
import { toStoreError } from './errors.js';
import type { WaitingFile } from './waiting-file.js';

export interface WriteBehindOptions<T> {
  name: string;
  maxQueued: number;
  batchRows: number;
  batchMs: number;
  /** Writes one batch in one transaction; a rejection keeps the batch for the next try. */
  write(items: T[]): Promise<void>;
  /** Keeps what waits, also while it is being written, for the next start. */
  file?: WaitingFile<T> | undefined;
  /** What the file kept for this start: it is written first. */
  found?: readonly T[];
  log: Logger;
}

export interface WriteBehind<T> {
  /** Never waits. @returns false when the queue was full and the oldest item was dropped and counted. */
  push(item: T): boolean;
  /** Resolves when everything pushed before is written; rejects when it cannot be written now. */
  flush(): Promise<void>;
  /** Before a read: {@link flush}, but a database that cannot be written now (locked, full disk) can still be read. */
  settle(): Promise<void>;
  /** What could not be written yet, oldest first. */
  waiting(): readonly T[];
  stats(): { queued: number; written: number; shed: number; failed_writes: number };
  /** Why the last batch could not be written; undefined when it could. */
  trouble(): unknown;
  close(): Promise<void>;
}

const RETRY_MAX_MS = 5000;

/**
 * Queue in front of the database: the block path pushes and goes on, batches are written shortly after. Between
 * batches the event loop runs, so a long queue never holds up a detection. While the database is away items wait
 * up to `maxQueued`, then the oldest are dropped and counted.
 */
export function createWriteBehind<T>(options: WriteBehindOptions<T>): WriteBehind<T> {
  const { file } = options;
  let queue: T[] = [...(options.found ?? [])];
  /** The database refuses a batch for what is in it: that must not come back at each start. */
  let isRefused = false;
  let writing: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let retryMs = options.batchMs;
  let closed = false;
  let written = 0;
  let shed = 0;
  let failedWrites = 0;
  /** Since the last batch that was written. */
  let failedInRow = 0;
  let toldAt = 1;
  let trouble: unknown;

  function requeue(batch: T[]): void {
    queue = [...batch, ...queue];
    if (queue.length > options.maxQueued) {
      shed += queue.length - options.maxQueued;
      queue = queue.slice(-options.maxQueued);
    }
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const batch = queue.splice(0, options.batchRows);
      try {
        await options.write(batch);
      } catch (error) {
        failedWrites++;
        failedInRow++;
        trouble = error;
        requeue(batch);
        isRefused = toStoreError(error).code === 'store.failed';
        if (isRefused) file?.clear();
        retryMs = Math.min(RETRY_MAX_MS, retryMs * 2);
        throw error;
      }
      written += batch.length;
      if (failedInRow > 0) options.log.info({ queue: options.name, failed: failedInRow }, 'database writes go on');
      failedInRow = 0;
      toldAt = 1;
      trouble = undefined;
      retryMs = options.batchMs;
      await new Promise(setImmediate);
    }
    file?.clear();
    isRefused = false;
  }

  function start(): Promise<void> {
    writing ??= drain().finally(() => {
      writing = undefined;
      if (queue.length > 0) schedule(retryMs);
    });
    return writing;
  }

  function schedule(delayMs: number): void {
    if (timer !== undefined || closed) return;
    timer = setTimeout(() => {
      timer = undefined;
      start().catch((error: unknown) => {
        // The log may be on the disk that is full: each time after twice as many tries.
        if (failedInRow < toldAt) return;
        toldAt = failedInRow * 2;
        const where = { queue: options.name, queued: queue.length, tries: failedInRow };
        options.log.error({ err: error, ...where }, 'database write failed, will retry');
      });
    }, delayMs);
    timer.unref();
  }

  async function flush(): Promise<void> {
    if (writing) await writing;
    if (queue.length > 0) await start();
  }

  if (queue.length > 0) schedule(options.batchMs);
  return {
    push(item) {
      const full = queue.length >= options.maxQueued;
      if (full) {
        queue.shift();
        shed++;
      }
      queue.push(item);
      if (!isRefused) file?.add(item);
      if (!writing) schedule(options.batchMs);
      return !full;
    },
    flush,
    async settle() {
      // What waits for its next try is not waited for.
      if (trouble === undefined) await flush().catch(() => undefined);
    },
    waiting: () => queue,
    stats: () => ({ queued: queue.length, written, shed, failed_writes: failedWrites }),
    trouble: () => trouble,
    async close() {
      closed = true;
      clearTimeout(timer);
      await flush().finally(() => file?.close());
    },
  };
}
