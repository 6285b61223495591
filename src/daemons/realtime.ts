import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import koffi from 'koffi';
import { loadCLibrary } from '../util/c-library.js';

/** Policies and flag of linux/sched.h. */
const SCHED_OTHER = 0;
const SCHED_RR = 2;
const SCHED_RESET_ON_FORK = 0x40000000;
/** Of 1 to 99: ahead of all ordinary threads, behind the kernel's own. */
const PRIORITY = 10;

const CHECK_MS = 100;
/** Share of the time that the thread may work and still be called idle. */
const BUSY = 0.5;
const CALM = 0.3;

/** Sets the scheduling policy of the calling thread. @returns false without the right to. */
export type SetScheduler = (policy: number, priority: number) => boolean;

/** The C library's sched_setscheduler(2) for the calling thread; threads and processes it starts stay ordinary. */
export function bindSetScheduler(): SetScheduler {
  const libc = loadCLibrary();
  const parameter = koffi.struct({ sched_priority: 'int' });
  const call = libc.func('sched_setscheduler', 'int', ['int', 'int', koffi.pointer(parameter)]) as (
    pid: number,
    policy: number,
    parameter: { sched_priority: number },
  ) => number;
  return (policy, priority) => call(0, policy | SCHED_RESET_ON_FORK, { sched_priority: priority }) === 0;
}

/** What a thread did since it began, milliseconds. */
export interface ThreadTimes {
  /** On a processor. */
  ran: number;
  /** Ready to run, while something else had the processor. */
  waited: number;
  now: number;
}

/** Of the calling thread, from schedstat (Documentation/scheduler/sched-stats.rst); without it, waiting counts as running. */
function threadTimes(): ThreadTimes {
  const now = performance.now();
  try {
    const [ran, waited] = readFileSync('/proc/thread-self/schedstat', 'utf8')
      .split(' ', 2)
      .map((ns) => Number(ns) / 1e6);
    return { ran: ran ?? 0, waited: waited ?? 0, now };
  } catch {
    return { ran: performance.eventLoopUtilization().active, waited: 0, now };
  }
}

/**
 * Share of its time that a thread works. Time that it waits for a processor is left out: on a busy machine an ordinary
 * thread with little to do mostly waits, and would never look idle enough to be a real-time one.
 */
export function busyShare(before: ThreadTimes, after: ThreadTimes): number {
  const own = after.now - before.now - (after.waited - before.waited);
  return own <= 0 ? 1 : Math.min(1, (after.ran - before.ran) / own);
}

/** Decides when a thread may be a real-time one, from the share of time it works. */
export function createRealtimeGate(set: (isRealtime: boolean) => void): (utilization: number) => void {
  let isRealtime = false;
  return (utilization) => {
    if (isRealtime ? utilization <= BUSY : utilization <= CALM) {
      if (!isRealtime) set(true);
      isRealtime = true;
    } else if (isRealtime) {
      set(false);
      isRealtime = false;
    }
  };
}

/**
 * Runs the calling thread with real-time priority (SCHED_RR) as long as it is mostly idle: a detection or a decision then
 * does not wait for busy programs to use up their time slice. A thread that works more than half of its time is ordinary
 * again, so that a flood or a long request takes nothing from the kernel's forwarding. Linux keeps 5 % of each second for
 * ordinary threads in any case (sched(7), sched_rt_runtime_us).
 * @returns false when the right is missing (CAP_SYS_NICE, or CPUSchedulingPolicy of the unit); nothing changes then.
 */
export function keepRealtime(signal: AbortSignal, setScheduler: SetScheduler = bindSetScheduler()): boolean {
  if (!setScheduler(SCHED_RR, PRIORITY)) return false;
  const gate = createRealtimeGate((isRealtime) => {
    if (isRealtime) setScheduler(SCHED_RR, PRIORITY);
    else setScheduler(SCHED_OTHER, 0);
  });
  gate(0);
  let last = threadTimes();
  const timer = setInterval(() => {
    const times = threadTimes();
    gate(busyShare(last, times));
    last = times;
  }, CHECK_MS);
  timer.unref();
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(timer);
      setScheduler(SCHED_OTHER, 0);
    },
    { once: true },
  );
  return true;
}
