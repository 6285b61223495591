const BASE_MS = 500;
const MAX_MS = 60_000;

/** Exponential waiting with full jitter: 0..0.5 s, 0..1 s, ... 0..60 s. */
export class Backoff {
  private failures = 0;
  private readonly random: () => number;

  constructor(random: () => number = Math.random) {
    this.random = random;
  }

  /** @param atLeastMs what the receiver asked for (Retry-After). */
  next(atLeastMs = 0): number {
    const ceiling = Math.min(MAX_MS, BASE_MS * 2 ** Math.min(this.failures, 20));
    this.failures++;
    return Math.max(atLeastMs, Math.round(this.random() * ceiling));
  }

  reset(): void {
    this.failures = 0;
  }
}
