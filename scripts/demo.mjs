// `npm run demo`: in a lab of network namespaces, a port scan is found, blocked, reported and released, step by step.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { runScript, SetupError } from './lib/output.mjs';
import { ROOT, setup } from './setup.mjs';

await runScript(async () => {
  if (process.getuid() !== 0)
    throw new SetupError('The demo makes network namespaces, which needs root: sudo npm run demo');
  await setup({ demo: true });
  const args = ['--import', 'tsx', join(ROOT, 'test/lab/demo.ts'), ...process.argv.slice(2)];
  const demo = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => demo.kill(signal));
  return new Promise((resolve) => demo.on('close', (code) => resolve(code ?? 1)));
});
