import { createPipeline, type Pipeline } from '../../../daemons/pipeline.js';
import type { PacketBlock } from '../../../domain/packet.js';
import type { PacketObserver } from '../../../domain/stage.js';
import type { Packets } from '../mixed-traffic.js';

export interface Compared {
  /** CPU time a packet, nanoseconds. */
  without: number;
  with: number;
}

const CACHE_LINE = 64;
/** Packets measured together: so many that each time has its share of ticks and of contacts, which are judged 256 at once. */
const SPAN_PACKETS = 16_384;

/**
 * CPU time a packet of the packet path with and without an observer: the same packets, in turn, in one process. Compared
 * are the fastest tenths of spans of 16,384 packets: what else runs on the machine only makes blocks slower.
 *
 * Before its turn a block is read once: live, another part of the machine has just written it, and it lies in a cache. All
 * packets are 100 MB. Fresh from memory, most of what is measured is whether the processor gets to the next packet's bytes
 * while it works on the present one: whatever takes longer than that seems to cost a wait for memory more.
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
  let cpuUs = 0;
  let packets = 0;
  for (const block of blocks) {
    readOnce(block);
    const before = process.cpuUsage();
    pipeline.push(block);
    const { user, system } = process.cpuUsage(before);
    cpuUs += user + system;
    packets += block.count;
    if (packets < SPAN_PACKETS) continue;
    ns.push((cpuUs * 1000) / packets);
    cpuUs = packets = 0;
  }
}

/** What was read; kept, or the compiler would leave the reading out. */
export let read = 0;

function readOnce({ data, offset, tsUs, capLen, wireLen, count }: PacketBlock): void {
  let seen = 0;
  for (let i = 0; i < count; i++) {
    const end = offset[i]! + capLen[i]!;
    for (let at = offset[i]!; at < end; at += CACHE_LINE) seen ^= data[at]!;
    seen ^= wireLen[i]! ^ tsUs[i]!;
  }
  read = seen;
}

/** The tenth part that is fastest, at its end; the first third is the compiler's. */
function fast(ns: readonly number[]): number {
  const warm = ns.slice(Math.floor(ns.length / 3)).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 10)]!;
}
