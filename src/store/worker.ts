import { parentPort, workerData } from 'node:worker_threads';
import type { Logger } from '../util/logger.js';
import { openLocalStore } from './local-store.js';
import type { StoreOptions } from './options.js';
import type { Store } from './store.js';
import { toPlainError, type Request, type Response } from './worker-protocol.js';
import { setThreadPriority } from '../util/priority.js';

// The thread that decides goes first.
setThreadPriority(5);

/** The thread of the database: runs the store and answers the client in worker-client.ts. */
const STATS_MS = 1000;
const TAKEN_EVERY = 64;

if (!parentPort) throw new Error('worker.ts runs as a worker thread only');
const port = parentPort;
const send = (response: Response): void => {
  port.postMessage(response);
};

function threadLogger(): Logger {
  const at =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      const plain = Object.fromEntries(
        Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? toPlainError(value) : value]),
      );
      send({ op: 'log', level, fields: plain, message });
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

type Method = (...args: unknown[]) => unknown;

function methodOf(store: Store, repository: string, method: string): Method {
  const target = (repository === 'store' ? store : store[repository as keyof Store]) as unknown as Record<
    string,
    Method
  >;
  const found = Object.hasOwn(target, method) ? target[method] : undefined;
  if (!found) throw new Error(`the store has no ${repository}.${method}`);
  return found;
}

function serve(store: Store): void {
  let taken = 0;
  const report = (): void => {
    send({ op: 'taken', count: taken, stats: store.stats() });
    taken = 0;
  };
  const timer = setInterval(report, STATS_MS);

  async function call({ id, repository, method, args }: Extract<Request, { op: 'call' }>): Promise<void> {
    try {
      const value = await methodOf(store, repository, method)(...args);
      if (repository === 'store' && method === 'close') clearInterval(timer);
      report();
      send({ op: 'result', id, value });
    } catch (error) {
      send({ op: 'error', id, error: toPlainError(error) });
    }
  }

  port.on('message', (request: Request) => {
    if (request.op === 'call') void call(request);
    else {
      methodOf(store, request.repository, 'queue')(...request.args);
      if (++taken >= TAKEN_EVERY) report();
    }
  });
}

try {
  serve(await openLocalStore(workerData as StoreOptions, threadLogger()));
  send({ op: 'opened' });
} catch (error) {
  send({ op: 'error', id: 0, error: toPlainError(error) });
}
