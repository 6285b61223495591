import { INLINE_STAGES, type InlineStage, type InlineStages } from '../../contract/inline.js';
import { LatencyHistogram } from '../../util/latency-histogram.js';

type Histograms = Readonly<Record<InlineStage | 'all', LatencyHistogram>>;

/**
 * How long packets take from reception to verdict, and where: `wait` in the kernel, `decode`, `judge`, `verdict` (its own
 * batch, and the sending). Times are microseconds since the epoch. Told of the last one to two windows.
 */
export class StageClock {
  private current = histograms();
  private previous = histograms();
  /** Of the batch at hand: when its packets were received and judged. */
  private readonly received: Float64Array;
  private readonly judged: Float64Array;
  private waiting = 0;

  /** @param batch most packets between two calls of {@link sent}. */
  constructor(batch: number) {
    this.received = new Float64Array(batch);
    this.judged = new Float64Array(batch);
  }

  /** A packet was judged; one that was let go unjudged has the same time for all but its reception. */
  packet(receivedUs: number, beganUs: number, decodedUs: number, judgedUs: number): void {
    const { current } = this;
    current.wait.add(beganUs - receivedUs);
    current.decode.add(decodedUs - beganUs);
    current.judge.add(judgedUs - decodedUs);
    this.received[this.waiting] = receivedUs;
    this.judged[this.waiting++] = judgedUs;
  }

  /** The verdicts of the batch were sent. */
  sent(atUs: number): void {
    for (let i = 0; i < this.waiting; i++) {
      this.current.verdict.add(atUs - this.judged[i]!);
      this.current.all.add(atUs - this.received[i]!);
    }
    this.waiting = 0;
  }

  /** A window is over. */
  turn(): void {
    [this.previous, this.current] = [this.current, this.previous];
    for (const histogram of Object.values(this.current)) histogram.reset();
  }

  /** Of the window that says more. */
  summary(): { latency: { count: number; p50Us: number; p95Us: number; p99Us: number }; stages: InlineStages } {
    const shown = this.previous.all.count > this.current.all.count ? this.previous : this.current;
    const { count, p50Us, p95Us, p99Us } = shown.all.summary();
    const of = (stage: InlineStage) => ({ p50Us: shown[stage].quantile(0.5), p99Us: shown[stage].quantile(0.99) });
    return {
      latency: { count, p50Us, p95Us, p99Us },
      stages: Object.fromEntries(INLINE_STAGES.map((stage) => [stage, of(stage)])) as InlineStages,
    };
  }
}

function histograms(): Histograms {
  const one = () => new LatencyHistogram();
  return { all: one(), wait: one(), decode: one(), judge: one(), verdict: one() };
}
