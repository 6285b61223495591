import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

export type BusPeerRole = 'sensor' | 'responder' | 'inline';

/**
 * Where a daemon dials the server. Each kind has a folder of its own: as the units are installed it belongs to that daemon's
 * group and hands the group on to the socket (setgid), so that no daemon can take a connection that is meant for another.
 */
export function busSocketPath(runtimeDir: string, role: BusPeerRole): string {
  return join(runtimeDir, role, 'bus.sock');
}

/** Makes the folder where nobody has: then whoever may enter the runtime folder may dial. What is wrong, listening says. */
export function makeSocketFolder(path: string): void {
  try {
    mkdirSync(dirname(path), { mode: 0o750 });
  } catch {
    // It is there, or its parent is not.
  }
}
