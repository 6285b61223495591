/** A step of the wall clock is told from the pause between two readings by being longer, milliseconds. */
const STEP_MS = 5;

/** Wall clock at the zero of the monotonic clock, milliseconds since the epoch. */
let originMs = performance.timeOrigin;

/**
 * Microseconds since the epoch with sub-millisecond resolution; follows the system clock, also when it is set: within
 * {@link STEP_MS} of it, and on it again after a larger step.
 */
export function nowUs(): number {
  const readMs = originMs + performance.now();
  if (Math.abs(Date.now() - readMs) < STEP_MS) return readMs * 1000;
  originMs = readOrigin();
  return (originMs + performance.now()) * 1000;
}

/** The wall clock tells whole milliseconds: read where one begins, which is at most a millisecond away. */
function readOrigin(): number {
  const startMs = performance.now();
  const before = Date.now();
  let wallMs = before;
  let monotonicMs = startMs;
  while (wallMs === before && monotonicMs - startMs < 2) {
    monotonicMs = performance.now();
    wallMs = Date.now();
  }
  return wallMs - monotonicMs;
}
