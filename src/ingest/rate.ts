/** Token bucket over monotonic milliseconds, for sources that can wait and for those that cannot. */
export class Rate {
  private tokens: number;
  private lastMs: number;
  private readonly perMs: number;
  private readonly burst: number;
  private readonly now: () => number;

  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.perMs = perSecond / 1000;
    this.burst = burst;
    this.tokens = burst;
    this.now = now;
    this.lastMs = now();
  }

  /** Takes one. @returns false when there is none. */
  take(): boolean {
    this.refill();
    if (this.tokens < 1) return false;
    this.tokens--;
    return true;
  }

  /** Takes one that may be owed: a source that waits afterwards pays it back. */
  owe(): void {
    this.refill();
    this.tokens--;
  }

  /** Milliseconds until nothing is owed. */
  waitMs(): number {
    this.refill();
    return this.tokens >= 0 ? 0 : Math.ceil(-this.tokens / this.perMs);
  }

  private refill(): void {
    const nowMs = this.now();
    this.tokens = Math.min(this.burst, this.tokens + Math.max(0, nowMs - this.lastMs) * this.perMs);
    this.lastMs = nowMs;
  }
}
