/** Decides when so much waits that everything is let go unjudged, and when to judge again. */
export class OverloadGate {
  isOverloaded = false;
  private calmSinceMs = 0;
  private readonly limits: { maxLatencyMs: number; recoverMs: number };

  constructor(limits: { maxLatencyMs: number; recoverMs: number }) {
    this.limits = limits;
  }

  /**
   * @param waitMs how long the packet at hand has waited.
   * @returns what changed.
   */
  note(waitMs: number, nowMs: number): 'entered' | undefined {
    if (this.isOverloaded) {
      if (waitMs > this.limits.maxLatencyMs / 2) this.calmSinceMs = nowMs;
      return undefined;
    }
    if (waitMs <= this.limits.maxLatencyMs) return undefined;
    this.isOverloaded = true;
    this.calmSinceMs = nowMs;
    return 'entered';
  }

  /** @returns what changed. */
  tick(nowMs: number): 'left' | undefined {
    if (!this.isOverloaded || nowMs - this.calmSinceMs < this.limits.recoverMs) return undefined;
    this.isOverloaded = false;
    return 'left';
  }
}
