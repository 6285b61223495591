import { execFileSync } from 'node:child_process';

/** The manual page as the staged program prints it. */
export function manualPage(program) {
  return execFileSync(program, ['manual'], { encoding: 'utf8' });
}
