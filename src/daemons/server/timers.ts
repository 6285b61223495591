import type { Logger } from '../../util/logger.js';
import { createRareReport } from '../../util/rare-report.js';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** What the server does again and again; a task that fails, at once or later, is logged and comes again. */
export interface Chores {
  second(nowMs: number): readonly (Promise<unknown> | undefined)[];
  minute(nowMs: number): readonly (Promise<unknown> | undefined)[];
  hour(nowMs: number): readonly (Promise<unknown> | undefined)[];
}

/** @returns ends them. */
export function startChores(chores: Chores, log: Logger): () => void {
  const failed = createRareReport(log, 'A regular task of the server failed.');
  const every = (ms: number, run: Chores['second']): NodeJS.Timeout =>
    setInterval(() => {
      // A full disk must not end the daemon: what it holds in memory would be lost.
      try {
        for (const task of run(Date.now())) task?.catch(failed);
      } catch (error) {
        failed(error);
      }
    }, ms);
  const timers = [every(SECOND_MS, chores.second), every(MINUTE_MS, chores.minute), every(HOUR_MS, chores.hour)];
  return () => {
    timers.forEach(clearInterval);
  };
}
