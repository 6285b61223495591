import '../../util/no-telemetry.js';
import { Worker } from 'node:worker_threads';
import { errorMessage } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import type { BatchScores, FromWorker, ToWorker, WorkerModel } from './messages.js';

const MAX_RESTARTS = 5;

/** The scoring worker's thread and its messages; started on first use and again when it dies. */
export class WorkerLink {
  restarts = 0;
  private worker: Worker | undefined;
  private closing = false;
  private readonly loading = new Map<number, (reason: string | undefined) => void>();
  private readonly log: Logger;
  private readonly handlers: {
    onScored: (batch: number, results: BatchScores[]) => void;
    onLost: (mayRestart: boolean) => void;
  };

  constructor(
    log: Logger,
    handlers: { onScored: (batch: number, results: BatchScores[]) => void; onLost: (mayRestart: boolean) => void },
  ) {
    this.log = log;
    this.handlers = handlers;
  }

  send(message: ToWorker): void {
    this.running().postMessage(message);
  }

  /** @returns undefined when the model is ready, else why it was refused. */
  load(model: WorkerModel): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.loading.set(model.key, resolve);
      this.send({ type: 'load', model });
    });
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.worker?.terminate();
  }

  private running(): Worker {
    if (this.worker) return this.worker;
    const worker = startWorker();
    worker.on('message', (message: FromWorker) => this.receive(message));
    worker.on('error', (error) => this.lost(worker, errorMessage(error)));
    worker.on('exit', (code) => this.lost(worker, `exit code ${code}`));
    // An idle worker keeps no program alive; batches in flight do, through drain() or the capture loop.
    this.worker = worker;
    return worker;
  }

  private receive(message: FromWorker): void {
    if (message.type === 'scored') {
      this.handlers.onScored(message.batch, message.results);
      return;
    }
    this.loading.get(message.key)?.(message.type === 'loaded' ? undefined : message.reason);
    this.loading.delete(message.key);
  }

  private lost(worker: Worker, reason: string): void {
    if (this.closing || this.worker !== worker) return;
    this.worker = undefined;
    this.log.error({ reason, restarts: this.restarts }, 'The scoring worker died.');
    for (const resolve of this.loading.values()) resolve(`the scoring worker died (${reason})`);
    this.loading.clear();
    this.handlers.onLost(++this.restarts <= MAX_RESTARTS);
  }
}

/** From source (tests, development) the thread must be taught TypeScript first. */
function startWorker(): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url));
  const url = new URL('./worker.ts', import.meta.url).href;
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(url)}); });`;
  return new Worker(boot, { eval: true });
}
