import koffi from 'koffi';

/** A step of the wall clock is told from the pause between two readings by being longer, milliseconds. */
const STEP_MS = 5;
/** The wall clock is read so often between two readings of the monotonic one; the pair that lies closest counts. */
const READINGS = 10;
/** Of time.h. */
const CLOCK_REALTIME = 0;

export interface ClockSources {
  monotonicMs(): number;
  /** Whole milliseconds are enough; asked at every reading. */
  wallMs(): number;
  /** Fractions of a millisecond; asked at first and when the wall clock seems to be set. */
  exactWallMs(): number;
}

/** A clock in microseconds since the epoch that runs with the monotonic clock and follows the wall clock when it is set. */
export function createMicroClock({ monotonicMs, wallMs, exactWallMs }: ClockSources): () => number {
  /** Wall clock at the zero of the monotonic clock, milliseconds since the epoch. */
  let originMs = NaN;

  /** A reading that the process was put aside in is a wide one: on a busy machine it would be off by milliseconds. */
  function readOrigin(): number {
    let origin = 0;
    let narrowestMs = Infinity;
    for (let n = 0; n < READINGS; n++) {
      const before = monotonicMs();
      const wall = exactWallMs();
      const after = monotonicMs();
      if (after - before >= narrowestMs) continue;
      narrowestMs = after - before;
      origin = wall - (before + after) / 2;
    }
    return origin;
  }

  return () => {
    const readMs = originMs + monotonicMs();
    if (Math.abs(wallMs() - readMs) < STEP_MS) return readMs * 1000;
    originMs = readOrigin();
    return (originMs + monotonicMs()) * 1000;
  };
}

/** The C library's clock_gettime(2); where there is none, whole milliseconds, off by half of one at most. */
function bindExactWallMs(): () => number {
  try {
    // The program's own symbols: a library that was put before the C library, as for tests with a set clock, counts.
    const libc = koffi.load(null);
    const clockGettime = libc.func('int clock_gettime(int clock, void *time)') as (
      c: number,
      t: BigInt64Array,
    ) => number;
    const time = new BigInt64Array(2);
    return () => {
      clockGettime(CLOCK_REALTIME, time);
      return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
    };
  } catch {
    return () => Date.now() + 0.5;
  }
}

let exactWallMs: (() => number) | undefined;

/**
 * Microseconds since the epoch with sub-millisecond resolution, the same in every process of the machine; follows the
 * system clock, also when it is set: within {@link STEP_MS} ms of it, and on it again after a larger step.
 */
export const nowUs = createMicroClock({
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  exactWallMs: () => (exactWallMs ??= bindExactWallMs())(),
});
