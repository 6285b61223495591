import type { FlowColumns, FlowEndReason, FlowRecord } from '../../domain/flow.js';
import { toFlowRecord } from '../../flow/index.js';

/** Small, so that a detection behind a batch is not held up by its parsing. */
const BATCH = 16;

export interface FlowReporterOptions {
  /** Flows reported a second of packet time; further ones are counted and left out. */
  maxPerSec: number;
  send(flows: FlowRecord[]): void;
}

/** Turns ended flows into records for the server, in batches, at a bounded rate. */
export interface FlowReporter {
  onFlowEnd(flows: FlowColumns, slot: number, reason: FlowEndReason, nowUs: number): void;
  flush(): void;
  stats(): Record<string, number>;
}

export function createFlowReporter(options: FlowReporterOptions): FlowReporter {
  let batch: FlowRecord[] = [];
  let second = 0;
  let inSecond = 0;
  let reported = 0;
  let shed = 0;

  function flush(): void {
    if (batch.length === 0) return;
    options.send(batch);
    batch = [];
  }

  return {
    onFlowEnd(flows, slot, reason, nowUs) {
      const now = Math.floor(nowUs / 1e6);
      if (now !== second) {
        second = now;
        inSecond = 0;
      }
      if (++inSecond > options.maxPerSec) {
        shed++;
        return;
      }
      reported++;
      batch.push(toFlowRecord(flows, slot, reason));
      if (batch.length >= BATCH) flush();
    },
    flush,
    stats: () => ({ flow_reports: reported, flow_reports_shed: shed }),
  };
}
