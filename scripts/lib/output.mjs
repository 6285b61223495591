import { spawn } from 'node:child_process';

const started = Date.now();

/** One progress line: seconds since the start, what is being done. */
export function progress(text) {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`[${seconds} s] ${text}\n`);
}

/** A problem that a person must solve; its text says how. */
export class SetupError extends Error {
  constructor(message) {
    super(message);
    this.name = 'SetupError';
  }
}

/**
 * Runs a program and keeps its output; on failure the whole output is printed and a {@link SetupError} is thrown.
 * @returns standard output and standard error, in the order they came.
 */
export function runQuietly(command, args, { what, cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env: env ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => reject(new SetupError(`${command} could not be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      const output = Buffer.concat(chunks).toString('utf8');
      if (code === 0) return resolve(output);
      process.stderr.write(output);
      reject(new SetupError(`${what ?? command} failed (${signal ?? `exit code ${code}`}); its output is above.`));
    });
  });
}

/** Runs the main function of a script: problems end in one message and exit code 3. */
export async function runScript(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    process.stderr.write(error instanceof SetupError ? `\nset-up: ${error.message}\n` : `${error.stack}\n`);
    process.exitCode = 3;
  }
}
