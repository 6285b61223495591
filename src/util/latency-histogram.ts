const SUB = 16;
const BUCKETS = 40 * SUB;

/**
 * Log-linear histogram of durations: relative error below 1/16, constant memory (5 KiB), for p50/p95/p99.
 * Values are microseconds, 1 us to about 12 days; negative values count as 0.
 */
export class LatencyHistogram {
  private readonly counts = new Float64Array(BUCKETS);
  private total = 0;
  private max = 0;

  add(us: number): void {
    const v = us > 0 ? us : 0;
    this.counts[bucketOf(v)]! += 1;
    this.total += 1;
    if (v > this.max) this.max = v;
  }

  get count(): number {
    return this.total;
  }

  /** @param q quantile 0..1. @returns microseconds (upper edge of the bucket, never above the maximum), 0 when empty. */
  quantile(q: number): number {
    if (this.total === 0) return 0;
    const target = Math.max(1, Math.ceil(q * this.total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.counts[i]!;
      if (seen >= target) return Math.min(upperEdge(i), this.max);
    }
    return this.max;
  }

  summary(): { count: number; p50Us: number; p95Us: number; p99Us: number; maxUs: number } {
    return {
      count: this.total,
      p50Us: this.quantile(0.5),
      p95Us: this.quantile(0.95),
      p99Us: this.quantile(0.99),
      maxUs: this.max,
    };
  }

  reset(): void {
    this.counts.fill(0);
    this.total = 0;
    this.max = 0;
  }
}

function bucketOf(us: number): number {
  if (us < SUB) return Math.floor(us);
  // Nobody waits for longer than 35 minutes on the packet path: there a logarithm is not worth its time.
  const exp = us < 2 ** 31 ? 31 - Math.clz32(us) : Math.floor(Math.log2(us));
  const sub = us < 2 ** 31 ? (us >>> (exp - 4)) - SUB : Math.floor((us / 2 ** exp - 1) * SUB);
  return Math.min(BUCKETS - 1, (exp - 3) * SUB + sub);
}

function upperEdge(bucket: number): number {
  if (bucket < SUB) return bucket + 1;
  const exp = Math.floor(bucket / SUB) + 3;
  return 2 ** exp * (1 + ((bucket % SUB) + 1) / SUB);
}
