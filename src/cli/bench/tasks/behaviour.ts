import { openFileSource } from '../../../capture/index.js';
import { createPipeline, type Pipeline } from '../../../daemons/pipeline.js';
import { behaviourOptionsSchema, createBehaviour } from '../../../detect/behaviour/index.js';
import type { PacketBlock } from '../../../domain/packet.js';
import { mixedTraffic, scanTraffic, type Packets } from '../mixed-traffic.js';
import { answer } from './answer.js';

interface BehaviourOptions {
  traffic: 'mixed' | 'scan' | 'files';
  packets: number;
  passes: number;
  /** Capture files, for `files`. */
  paths?: string[];
}

/**
 * CPU time a packet of the packet path with and without the behaviour detectors: the same packets, in turn, in one
 * process. Compared are the fastest tenths of the passes: what else runs on the machine only makes passes slower.
 */
export async function measureBehaviour(options: BehaviourOptions): Promise<void> {
  const { blocks, refill } = await packetsOf(options);
  const packets = blocks.reduce((sum, b) => sum + b.count, 0);
  let detections = 0;
  const pipelines = {
    without: createPipeline({ flow: { maxFlows: 262_144 } }, { observers: [] }),
    with: createPipeline(
      { flow: { maxFlows: 262_144 } },
      { observers: [createBehaviour(behaviourOptionsSchema.parse({}), { emit: () => void detections++ })] },
    ),
  };
  const ns: Record<keyof typeof pipelines, number[]> = { without: [], with: [] };
  for (let pass = 0; pass < options.passes; pass++) {
    for (const name of ['without', 'with'] as const) ns[name].push((passUs(pipelines[name], blocks) * 1000) / packets);
    refill();
  }
  answer({ packets, detections, without: fast(ns.without), with: fast(ns.with) });
}

/** The tenth part that is fastest, at its end; the first third of the passes is the compiler's. */
function fast(ns: readonly number[]): number {
  const warm = ns.slice(Math.floor(ns.length / 3)).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 10)]!;
}

function passUs(pipeline: Pipeline, blocks: readonly PacketBlock[]): number {
  const before = process.cpuUsage();
  for (const block of blocks) pipeline.push(block);
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

async function packetsOf({ traffic, packets, paths = [] }: BehaviourOptions): Promise<Packets> {
  if (traffic === 'mixed') return mixedTraffic(packets);
  if (traffic === 'scan') return scanTraffic(packets);
  const blocks: PacketBlock[] = [];
  for (const path of paths) {
    const source = await openFileSource(path);
    await source.run((b) => blocks.push(copyOf(b)), new AbortController().signal);
    source.close();
  }
  const spanUs = blocks.at(-1)!.tsUs.at(-1)! - blocks[0]!.tsUs[0]! + 1000;
  // The same packets again, at later times.
  const refill = (): void => {
    for (const block of blocks) for (let i = 0; i < block.count; i++) block.tsUs[i]! += spanUs;
  };
  return { blocks, refill };
}

function copyOf(b: PacketBlock): PacketBlock {
  return {
    ...b,
    data: b.data.slice(),
    offset: b.offset.slice(),
    capLen: b.capLen.slice(),
    wireLen: b.wireLen.slice(),
    tsUs: b.tsUs.slice(0, b.count),
  };
}
