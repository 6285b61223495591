import { performance, type EventLoopUtilization } from 'node:perf_hooks';
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
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    gate(performance.eventLoopUtilization(now, last).utilization);
    last = now;
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
