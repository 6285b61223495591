import { Worker } from 'node:worker_threads';
import { AppError } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import type { StoreOptions } from './options.js';
import type { Store } from './store.js';
import { fromPlainError, REPOSITORIES, type RepositoryName, type Request, type Response } from './worker-protocol.js';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 10_000;

function threadEnded(code: number | undefined): AppError {
  return new AppError({
    kind: 'operational',
    code: 'store.closed',
    message: 'The database is closed.',
    fix: 'Restart the server; its log has the cause.',
    context: code === undefined ? {} : { exitCode: code },
  });
}

/**
 * The store in a thread of its own: SQLite works synchronously, and a search through a million alerts must not hold
 * up the decision that is due at the same moment. Calls are messages; `queue` is a message without an answer, and at
 * most as many wait for the thread as the queues may hold. A thread that dies is started again: what it had queued is lost
 * and counted, what comes meanwhile waits.
 * @param file entry of the thread: worker.js, or what loads its source in tests.
 * @throws AppError store.*
 */
export async function openWorkerStore(
  options: StoreOptions,
  log: Logger,
  file: URL = new URL('./worker.js', import.meta.url),
): Promise<Store> {
  let worker = start();
  /** Requests that came while no thread ran. */
  const held: Request[] = [];
  let restarts = 0;
  let lost = 0;
  let backoffMs = FIRST_BACKOFF_MS;
  let closing = false;
  let isOpen = false;
  let timer: NodeJS.Timeout | undefined;
  const waiting = new Map<number, Waiting>();
  const maxWaiting = options.maxQueuedAlerts + options.maxQueuedFlows;
  let nextId = 1;
  let posted = 0;
  let shed = 0;
  let stats: Record<string, number> = {};
  let ended: AppError | undefined;

  function settle(id: number, act: (entry: Waiting) => void): void {
    const entry = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (entry) act(entry);
  }

  /** Ends the thread's hold on the process with the last answer: a forgotten store does not keep a command alive. */
  function wait(id: number): Promise<unknown> {
    worker.ref();
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }

  function onMessage(response: Response): void {
    switch (response.op) {
      case 'opened':
        isOpen = true;
        backoffMs = FIRST_BACKOFF_MS;
        for (const request of held.splice(0)) worker.postMessage(request);
        settle(0, ({ resolve }) => {
          resolve(undefined);
        });
        break;
      case 'result':
        settle(response.id, ({ resolve }) => {
          resolve(response.value);
        });
        break;
      case 'error':
        settle(response.id, ({ reject }) => {
          reject(fromPlainError(response.error));
        });
        break;
      case 'taken':
        posted -= response.count;
        stats = response.stats;
        break;
      case 'log':
        log[response.level](response.fields, response.message);
        break;
    }
  }

  function start(): Worker {
    const made = new Worker(file, { workerData: options, name: 'portcullis-store' });
    made.on('message', onMessage);
    made.on('error', (error) => {
      log.error({ err: error }, 'the database thread failed');
    });
    made.on('exit', onExit);
    return made;
  }

  /** Whoever waits learns that it failed; what is queued from now on waits for the next thread. */
  function onExit(code: number): void {
    const wasOpen = isOpen;
    isOpen = false;
    const failure = threadEnded(code);
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    lost += posted;
    posted = 0;
    if (closing || (!wasOpen && restarts === 0)) {
      ended = failure;
      return;
    }
    restarts++;
    log.error({ exitCode: code, inMs: backoffMs }, 'The database thread ended; it is started again.');
    timer = setTimeout(() => {
      worker = start();
    }, backoffMs);
    backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
  }

  const post = (request: Request): void => {
    if (isOpen) worker.postMessage(request);
    else held.push(request);
  };

  function call(repository: RepositoryName | 'store', method: string, args: unknown[]): Promise<unknown> {
    if (ended || held.length >= maxWaiting) return Promise.reject(ended ?? threadEnded(undefined));
    const id = nextId++;
    const answer = wait(id);
    post({ op: 'call', id, repository, method, args });
    return answer;
  }

  function queue(repository: RepositoryName, args: unknown[]): boolean {
    if (ended || posted >= maxWaiting) {
      shed++;
      return false;
    }
    posted++;
    post({ op: 'queue', repository, args });
    return true;
  }

  /** Every method of a repository as a message. */
  function remote(repository: RepositoryName): unknown {
    return new Proxy(
      {},
      {
        get(_target, method) {
          if (typeof method !== 'string' || method === 'then') return undefined;
          if (method === 'queue') return (...args: unknown[]) => queue(repository, args);
          return (...args: unknown[]) => call(repository, method, args);
        },
      },
    );
  }

  await wait(0);
  const repositories = Object.fromEntries(REPOSITORIES.map((name) => [name, remote(name)])) as Pick<
    Store,
    RepositoryName
  >;
  return {
    ...repositories,
    kind: options.kind,
    retain: (nowMs) => call('store', 'retain', [nowMs]) as ReturnType<Store['retain']>,
    health: () =>
      (call('store', 'health', []) as ReturnType<Store['health']>).catch((error: unknown) => ({
        ok: false,
        detail: error instanceof Error ? error.message : String(error),
      })),
    stats: () => ({
      ...stats,
      store_thread_waiting: posted,
      store_thread_shed: shed,
      store_thread_restarts: restarts,
      store_thread_lost: lost,
    }),
    flush: async () => {
      await call('store', 'flush', []);
    },
    async close() {
      if (ended) return;
      closing = true;
      clearTimeout(timer);
      if (!isOpen) {
        ended = threadEnded(undefined);
        await worker.terminate();
        return;
      }
      await call('store', 'close', []).catch((error: unknown) => {
        log.error({ err: error }, 'the database was not closed properly');
      });
      await worker.terminate();
    },
  };
}
