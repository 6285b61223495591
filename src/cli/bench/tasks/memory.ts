import type { PacketBlock } from '../../../domain/packet.js';
import { LINK } from '../../../domain/packet.js';
import { cpuUs, createHotPath } from '../pipeline.js';
import { Traffic } from '../traffic.js';
import { answer } from './answer.js';

const START_US = 1.8e15;
const BLOCK_PACKETS = 2048;

interface MemoryOptions {
  packets: number;
  maxFlows: number;
}

function rssMiB(): number {
  return process.memoryUsage().rss / 1048576;
}

/** Pushes millions of packets of ever new flows through the hot path; answers the memory at every tenth. */
export function manyFlows(options: MemoryOptions): void {
  const path = createHotPath({ maxFlows: options.maxFlows });
  // 10 million packets in 1000 seconds of packet time: flows end by their timeouts meanwhile.
  const traffic = new Traffic({ concurrency: 2000, withPayload: false, gapUs: 100, startUs: START_US });
  const block = traffic.createBlock(BLOCK_PACKETS);
  const tenth = Math.floor(options.packets / 10 / BLOCK_PACKETS);
  const before = cpuUs();
  const rss: number[] = [];
  for (let part = 0; part < 10; part++) {
    for (let n = 0; n < tenth; n++) {
      traffic.fill(block);
      path.onBlock(block);
    }
    rss.push(Math.round(rssMiB()));
  }
  const { flows_created: created = 0 } = path.flows.stats();
  answer({ packets: tenth * 10 * BLOCK_PACKETS, flows: created, rssMiB: rss, cpuUs: cpuUs() - before });
}

/** A SYN flood from random addresses: every packet opens a flow. */
export function flood(options: MemoryOptions): void {
  const path = createHotPath({ maxFlows: options.maxFlows });
  const block = synBlock();
  const blocks = Math.floor(options.packets / BLOCK_PACKETS);
  let random = 0x2545f491;
  let tsUs = START_US;
  const rss: number[] = [];
  const before = cpuUs();
  for (let n = 0; n < blocks; n++) {
    for (let i = 0; i < BLOCK_PACKETS; i++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      writeSource(block.data, block.offset[i]!, random);
      block.tsUs[i] = tsUs += 3;
    }
    path.onBlock(block);
    if (n % Math.ceil(blocks / 10) === 0) rss.push(Math.round(rssMiB()));
  }
  const { flows = 0, flows_created: created = 0, flows_evicted: evicted = 0 } = path.flows.stats();
  answer({
    packets: blocks * BLOCK_PACKETS,
    flows,
    created,
    evicted,
    ended: path.ended,
    rssMiB: rss,
    cpuUs: cpuUs() - before,
  });
}

function writeSource(d: Uint8Array, at: number, random: number): void {
  new DataView(d.buffer).setInt32(at + 26, random);
  new DataView(d.buffer).setInt16(at + 34, random >>> 7);
}

function synBlock(): PacketBlock {
  const frameBytes = 64;
  const frame = new Uint8Array(frameBytes);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x4500);
  view.setUint16(16, 40);
  view.setUint8(22, 64);
  view.setUint8(23, 6);
  view.setUint32(30, 0xc6336401);
  view.setUint16(36, 443);
  view.setUint8(46, 0x50);
  view.setUint8(47, 0x02);
  const data = new Uint8Array(BLOCK_PACKETS * frameBytes);
  for (let i = 0; i < BLOCK_PACKETS; i++) data.set(frame, i * frameBytes);
  return {
    data,
    count: BLOCK_PACKETS,
    offset: Int32Array.from({ length: BLOCK_PACKETS }, (_, i) => i * frameBytes),
    capLen: new Int32Array(BLOCK_PACKETS).fill(60),
    wireLen: new Int32Array(BLOCK_PACKETS).fill(60),
    tsUs: new Float64Array(BLOCK_PACKETS),
    linkType: LINK.ETHERNET,
    interfaceId: 0,
  };
}
