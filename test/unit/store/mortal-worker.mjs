import { existsSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

// Entry of the database thread in tests, which run compiled or from source.
// A way to die that the store itself does not have.
parentPort?.on('message', ({ method }) => {
  if (method === 'dieNow') process.exit(9);
});
const compiled = new URL('../../../src/store/worker.js', import.meta.url);
if (existsSync(compiled)) {
  await import(compiled.href);
} else {
  const { register } = await import('tsx/esm/api');
  register();
  await import('../../../src/store/worker.ts');
}
