import { Worker } from 'node:worker_threads';
import type { RefreshInput, RefreshResult } from './refresh.js';

/** Runs a refresh beside the caller's event loop; aborting ends it at once and leaves the table as it was. */
export function refreshInThread(input: RefreshInput, signal: AbortSignal): Promise<RefreshResult> {
  return new Promise((resolve, reject) => {
    const worker = startWorker(input);
    const abort = (): void => void worker.terminate();
    signal.addEventListener('abort', abort, { once: true });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', (code) => {
      signal.removeEventListener('abort', abort);
      reject(new Error(`the thread that reads feeds ended (${code})`));
    });
  });
}

/** From source (tests, development) the thread must be taught TypeScript first. */
function startWorker(workerData: RefreshInput): Worker {
  const options = { workerData, name: 'portcullis-intel' };
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options);
  const url = new URL('./worker.ts', import.meta.url).href;
  const boot = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(url)}); });`;
  return new Worker(boot, { ...options, eval: true });
}
