import { execFileSync, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Port of the web server, and of the datagrams. */
export const PORT = 8080;

/** What a program has said so far. */
export function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-20_000)));
  return () => text;
}

export async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGTERM');
  await until(() => child.exitCode !== null || child.signalCode !== null, 10_000);
}

export async function until(condition: () => boolean, limitMs: number): Promise<boolean> {
  for (const endMs = performance.now() + limitMs; performance.now() < endMs; await pause(50))
    if (condition()) return true;
  return false;
}

/** User and system time of all threads of a process, milliseconds; the kernel counts in steps of ten. */
export function cpuMs(pid: number | undefined): number {
  if (pid === undefined) return 0;
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** What the program said. @throws when it fails */
export const run = (netns: string, program: string, args: readonly string[]): string =>
  execFileSync('ip', ['netns', 'exec', netns, program, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });

export function tryRun(netns: string, program: string, args: readonly string[]): boolean {
  try {
    run(netns, program, args);
    return true;
  } catch {
    return false;
  }
}
