import type { ScoredFlow } from '../../contract/ipc.js';
import { formatIpWords } from '../../util/ip.js';
import type { RowBatch } from './batch.js';
import type { LoadedBundle } from './bundle.js';
import type { BatchScores } from './messages.js';

/**
 * A fair draw of what is scored, for drift and as benign training data: every row between two calls of `take` has the
 * same chance (reservoir sampling, Vitter 1985, algorithm R).
 */
export class ScoreSampler {
  private readonly size: number;
  private readonly random: () => number;
  private seen = 0;
  private kept: ScoredFlow[] = [];

  /** @param size rows kept between two calls of `take`; 0 keeps none. */
  constructor(size: number, random: () => number = Math.random) {
    this.size = size;
    this.random = random;
  }

  offer(batch: RowBatch, schema: string, results: readonly { bundle: LoadedBundle; scores: BatchScores }[]): void {
    if (this.size === 0 || results.length === 0) return;
    for (let r = 0; r < batch.rows; r++) {
      this.seen++;
      const at = this.kept.length < this.size ? this.kept.length : Math.floor(this.random() * this.seen);
      // A vector with a missing value does not survive JSON.
      if (at < this.size && batch.row(r).every(Number.isFinite)) this.kept[at] = describe(batch, r, schema, results);
    }
  }

  /** What was drawn since the last call. */
  take(): ScoredFlow[] {
    const taken = this.kept;
    this.kept = [];
    this.seen = 0;
    return taken;
  }
}

function describe(
  batch: RowBatch,
  r: number,
  schema: string,
  results: readonly { bundle: LoadedBundle; scores: BatchScores }[],
): ScoredFlow {
  const context = batch.context(r);
  const scores: Record<string, number> = {};
  let reported = false;
  for (const { bundle, scores: result } of results) {
    const score = result.score[r]!;
    scores[bundle.card.name] = Number.isFinite(score) ? score : 0;
    if (score >= bundle.card.threshold) reported = true;
  }
  return {
    atMs: Math.round(context.lastUs / 1000),
    srcIp: formatIpWords(context.ipVersion, ...context.src),
    srcPort: context.srcPort,
    dstIp: formatIpWords(context.ipVersion, ...context.dst),
    dstPort: context.dstPort,
    proto: context.proto,
    schema,
    values: Array.from(batch.row(r)),
    scores,
    reported,
  };
}
