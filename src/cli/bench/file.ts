import { join } from 'node:path';
import { openPcapWriter } from '../../capture/index.js';
import { LINK } from '../../domain/packet.js';
import { median, type BenchSection } from './section.js';
import { Traffic } from './traffic.js';
import { startWorker } from './worker-process.js';

const PACKETS = 200_000;
const BLOCK_PACKETS = 2000;
const PASSES = 7;
const WARM_UP_PASSES = 2;

/** Writes a capture of made-up web traffic. */
export function writeTraffic(path: string, packets: number): void {
  const traffic = new Traffic({ concurrency: 2000, withPayload: true, gapUs: 5, startUs: 1.8e15 });
  const block = traffic.createBlock(BLOCK_PACKETS);
  const writer = openPcapWriter(path, LINK.ETHERNET);
  for (let done = 0; done < packets; done += block.count) {
    traffic.fill(block);
    for (let i = 0; i < block.count; i++) writer.write(block, i);
  }
  writer.close();
}

/** CPU time a packet from a capture file to the flow table. */
export const fileSection: BenchSection = {
  name: 'file',
  title: 'Capture file to flow table',
  async run({ dir, progress }) {
    const path = join(dir, 'traffic.pcap');
    progress('writing a capture');
    writeTraffic(path, PACKETS);
    const worker = startWorker('file', { path, passes: PASSES });
    const costs: number[] = [];
    try {
      for (let pass = 0; pass < PASSES; pass++) {
        progress(`reading it, pass ${pass + 1} of ${PASSES}`);
        const { cpuUs, packets } = (await worker.next()) as { cpuUs: number; packets: number };
        if (pass >= WARM_UP_PASSES) costs.push((cpuUs * 1000) / packets);
      }
    } finally {
      worker.stop();
    }
    return [
      {
        name: 'file_cpu',
        value: median(costs),
        unit: 'ns/packet',
        text: `CPU time from a pcap file of ${PACKETS} packets to the flow table, median of ${costs.length} passes`,
      },
    ];
  },
};
