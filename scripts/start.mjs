// `npm start`: makes the checkout runnable, then runs the three daemons under their supervisor.
// Arguments go to `portcullis run`: npm start -- --interface eth0
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { runScript } from './lib/output.mjs';
import { ROOT, setup } from './setup.mjs';

function runPortcullis(args) {
  const main = join(ROOT, 'dist/src/cli/main.js');
  const child = spawn(process.execPath, [main, 'run', ...args], { stdio: 'inherit' });
  // The terminal sends Ctrl-C to both; the supervisor stops its daemons and ends, then so does this.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

await runScript(async () => {
  await setup();
  return runPortcullis(process.argv.slice(2));
});
