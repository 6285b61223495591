import { parentPort } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

// Entry of the database thread in tests, which run from source.
register();
// A way to die that the store itself does not have.
parentPort?.on('message', ({ method }) => {
  if (method === 'dieNow') process.exit(9);
});
await import('../../../src/store/worker.ts');
