import { openFileSource } from '../../../capture/index.js';
import { behaviourOptionsSchema, createBehaviour } from '../../../detect/behaviour/index.js';
import type { PacketBlock } from '../../../domain/packet.js';
import { mixedTraffic, scanTraffic, type Packets } from '../mixed-traffic.js';
import { answer } from './answer.js';
import { comparePaths } from './compare.js';

interface BehaviourOptions {
  traffic: 'mixed' | 'scan' | 'files';
  packets: number;
  passes: number;
  /** Capture files, for `files`. */
  paths?: string[];
}

/** CPU time a packet of the packet path with and without the behaviour detectors. */
export async function measureBehaviour(options: BehaviourOptions): Promise<void> {
  let detections = 0;
  const behaviour = createBehaviour(behaviourOptionsSchema.parse({}), { emit: () => void detections++ });
  const compared = comparePaths(await packetsOf(options), options.passes, behaviour);
  answer({ ...compared, detections });
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
  const spanUs = retime(blocks);
  // The same packets again, at later times.
  const refill = (): void => {
    for (const block of blocks) for (let i = 0; i < block.count; i++) block.tsUs[i]! += spanUs;
  };
  return { blocks, refill };
}

/** Lets one packet follow the other, pauses of more than a second cut short. @returns how long it all takes. */
function retime(blocks: readonly PacketBlock[]): number {
  const startUs = 1.8e15;
  let nowUs = startUs;
  for (const block of blocks) {
    let before = block.tsUs[0] ?? 0;
    for (let i = 0; i < block.count; i++) {
      const at = block.tsUs[i]!;
      nowUs += Math.min(1e6, Math.max(0, at - before));
      before = at;
      block.tsUs[i] = nowUs;
    }
  }
  return nowUs - startUs + 1000;
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
