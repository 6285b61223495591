import { createInterface } from 'node:readline';
import { openSender } from '../../../src/cli/bench/tasks/sender.js';
import { Traffic } from '../../../src/cli/bench/traffic.js';
import type { PacketBlock } from '../../../src/domain/packet.js';

interface Options {
  /** Put an 802.1Q tag with this id into every frame. */
  vlan?: number;
  /** Put its place in the round of FRAMES frames into the last two bytes of every frame. */
  numbered?: boolean;
  /** Break that order in one place of a round: a frame again, two the wrong way round, or one left out. */
  fault?: 'repeat' | 'swap' | 'skip';
}

const FRAMES = 1000;
const BATCH = 20;

/** Sends made-up web traffic: `send COUNT PPS` answers when all of it is sent, and how many flows it was. */
const options = JSON.parse(process.argv[2]!) as Options;
const traffic = new Traffic({ concurrency: 50, withPayload: true, gapUs: 1, startUs: 1e15 });
const block = traffic.createBlock(FRAMES);
traffic.fill(block);
if (options.vlan !== undefined) tag(block, options.vlan);
if (options.numbered) number(block, options.fault);
const sender = openSender('cap0', block);

function tag(b: PacketBlock, vlan: number): void {
  for (let i = 0; i < b.count; i++) {
    const at = b.offset[i]!;
    b.capLen[i]! += 4;
    b.data.copyWithin(at + 16, at + 12, at + b.capLen[i]! - 4);
    b.data.set([0x81, 0, vlan >> 8, vlan & 255], at + 12);
  }
}

function number(b: PacketBlock, fault: Options['fault']): void {
  for (let i = 0; i < b.count; i++) new DataView(b.data.buffer).setUint16(b.offset[i]! + b.capLen[i]! - 2, i);
  if (fault === undefined) return;
  const at = FRAMES / 2;
  const order = { repeat: [at, at], swap: [at + 1, at], skip: [at + 1, at + 2] }[fault];
  order.forEach((n, i) => new DataView(b.data.buffer).setUint16(b.offset[at + i]! + b.capLen[at + i]! - 2, n));
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [, count = '0', pps = '0'] = line.split(' ');
    const begin = performance.now();
    for (let sent = 0; sent < Number(count);) {
      const due = begin + (sent / Number(pps)) * 1000 - performance.now();
      if (due > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, due);
      sent += sender.send(sent % FRAMES, Math.min(Number(pps) < 1000 ? 1 : BATCH, Number(count) - sent));
    }
    process.stdout.write(`${JSON.stringify({ flows: traffic.flowsStarted })}\n`);
  })
  .on('close', () => sender.close());
process.stdout.write('{"ready":true}\n');
