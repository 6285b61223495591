/** Microseconds since the epoch with sub-millisecond resolution; follows the system clock. */
export function nowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}
