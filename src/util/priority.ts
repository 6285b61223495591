import { setPriority } from 'node:os';

/**
 * Scheduling priority of the calling thread; threads started later inherit it. Without the right to raise it nothing
 * changes.
 * @param nice -20 (first) to 19 (last).
 */
export function setThreadPriority(nice: number): void {
  try {
    // On Linux process id 0 means the calling thread.
    setPriority(0, nice);
  } catch {
    // Only the privilege is missing: the daemon works, a little later when the box is busy.
  }
}
