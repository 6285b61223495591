import cron from 'node-cron';

/** Seconds without a look at the clock, or back in time, after which the next hour is worked out anew. */
const SET_BACK_MS = 60_000;

/** When the wall clock reaches the hours of a cron expression. */
export interface Schedule {
  /** Epoch milliseconds of the next time; 0 when the expression never matches. */
  nextMs(): number;
  /**
   * Looks at the clock; to be called every second or so. True once for each hour that was reached since the last look,
   * however late: a box that slept, was busy or whose clock was set forward over the hour is told when it looks again.
   */
  isDue(): boolean;
}

/**
 * Cron's hours by the wall clock, in local time. There is no timer to the hour itself: those run by a clock that stands
 * still while a machine sleeps and that knows nothing of a clock that was set.
 * @throws Error when the expression is none.
 */
export function createSchedule(expression: string): Schedule {
  const task = cron.createTask(expression, () => undefined);
  const plan = (): number => task.getNextRuns(1)[0]?.getTime() ?? 0;
  let next = plan();
  let lookedMs = Date.now();
  return {
    nextMs: () => next,
    isDue() {
      const nowMs = Date.now();
      const wasSetBack = nowMs < lookedMs - SET_BACK_MS;
      lookedMs = nowMs;
      const due = next > 0 && nowMs >= next;
      if (due || wasSetBack) next = plan();
      return due;
    },
  };
}
