import { createPipeline, type Pipeline } from '../../../daemons/pipeline.js';
import type { PacketObserver } from '../../../domain/stage.js';
import type { Packets } from '../mixed-traffic.js';

export interface Compared {
  /** CPU time a packet, nanoseconds. */
  without: number;
  with: number;
}

/**
 * CPU time a packet of the packet path with and without an observer: the same packets, in turn, in one process. Compared
 * are the fastest tenths of the blocks: what else runs on the machine only makes blocks slower.
 */
export function comparePaths({ blocks, refill }: Packets, passes: number, observer: PacketObserver): Compared {
  const pipelines = {
    without: createPipeline({ flow: { maxFlows: 262_144 } }, { observers: [] }),
    with: createPipeline({ flow: { maxFlows: 262_144 } }, { observers: [observer] }),
  };
  const ns: Record<keyof Compared, number[]> = { without: [], with: [] };
  for (let pass = 0; pass < passes; pass++) {
    for (const name of ['without', 'with'] as const) measurePass(pipelines[name], blocks, ns[name]);
    refill();
  }
  return { without: fast(ns.without), with: fast(ns.with) };
}

function measurePass(pipeline: Pipeline, blocks: Packets['blocks'], ns: number[]): void {
  for (const block of blocks) {
    const before = process.cpuUsage();
    pipeline.push(block);
    const { user, system } = process.cpuUsage(before);
    ns.push(((user + system) * 1000) / block.count);
  }
}

/** The tenth part that is fastest, at its end; the first third is the compiler's. */
function fast(ns: readonly number[]): number {
  const warm = ns.slice(Math.floor(ns.length / 3)).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 10)]!;
}
