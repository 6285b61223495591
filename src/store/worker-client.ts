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
 * most as many wait for the thread as the queues may hold.
 * @param file entry of the thread: worker.js, or what loads its source in tests.
 * @throws AppError store.*
 */
export async function openWorkerStore(
  options: StoreOptions,
  log: Logger,
  file: URL = new URL('./worker.js', import.meta.url),
): Promise<Store> {
  const worker = new Worker(file, { workerData: options, name: 'portcullis-store' });
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

  worker.on('message', (response: Response) => {
    switch (response.op) {
      case 'opened':
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
  });
  worker.on('error', (error) => {
    log.error({ err: error }, 'the database thread failed');
  });
  worker.on('exit', (code) => {
    ended = threadEnded(code);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  });

  const post = (request: Request): void => {
    worker.postMessage(request);
  };

  function call(repository: RepositoryName | 'store', method: string, args: unknown[]): Promise<unknown> {
    if (ended) return Promise.reject(ended);
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
    stats: () => ({ ...stats, store_thread_waiting: posted, store_thread_shed: shed }),
    flush: async () => {
      await call('store', 'flush', []);
    },
    async close() {
      if (ended) return;
      await call('store', 'close', []).catch((error: unknown) => {
        log.error({ err: error }, 'the database was not closed properly');
      });
      await worker.terminate();
    },
  };
}
