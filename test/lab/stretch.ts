/**
 * A lab run that took longer: writes capture and truth of a run anew with its connections moved apart.
 *
 *   npx tsx test/lab/stretch.ts RUN OUT FACTOR        (an hour of guessing becomes six with FACTOR 6)
 *
 * Every packet is one that a real tool and a real service exchanged. The first packet of each TCP or UDP conversation goes to
 * FACTOR times its distance from the begin of the capture; the conversation's other packets keep their distance from it, so
 * that what happens inside a connection takes the time it took. What has no ports (ARP, ICMP) moves packet by packet.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openFileSource, openPcapWriter } from '../../src/capture/index.js';
import { createDecoder } from '../../src/decode/index.js';
import { DecodedPacket, PROTO } from '../../src/domain/packet.js';
import { writeTruth, type Truth } from './truth.js';

interface Frame {
  tsUs: number;
  wireLen: number;
  data: Uint8Array;
}

/** @param factor how many times as long it takes; at least 1. @returns packets written. */
export async function stretchRun(run: string, out: string, factor: number): Promise<number> {
  mkdirSync(out, { recursive: true });
  const source = await openFileSource(join(run, 'capture.pcap'));
  const decoder = createDecoder({});
  const packet = new DecodedPacket();
  const movedBy = new Map<string, number>();
  const frames: Frame[] = [];
  let firstUs = Infinity;
  let linkType = 0;
  try {
    await source.run((block) => {
      ({ linkType } = block);
      for (let i = 0; i < block.count; i++) {
        decoder.decode(block, i, packet);
        const { tsUs } = packet;
        firstUs = Math.min(firstUs, tsUs);
        const offset = block.offset[i]!;
        const data = block.data.slice(offset, offset + block.capLen[i]!);
        frames.push({
          tsUs: tsUs + moveOf(packet, movedBy, (tsUs - firstUs) * (factor - 1)),
          wireLen: block.wireLen[i]!,
          data,
        });
      }
    }, new AbortController().signal);
  } finally {
    source.close();
  }
  frames.sort((a, b) => a.tsUs - b.tsUs);
  const writer = openPcapWriter(join(out, 'capture.pcap'), linkType);
  for (const { tsUs, wireLen, data } of frames) writer.writeFrame(data, tsUs, wireLen);
  writer.close();
  writeTruth(out, stretchTruth(JSON.parse(readFileSync(join(run, 'truth.json'), 'utf8')) as Truth, firstUs, factor));
  return frames.length;
}

/** How far a packet moves: as far as the first packet of its conversation. */
function moveOf(p: DecodedPacket, movedBy: Map<string, number>, own: number): number {
  if (p.proto !== PROTO.TCP && p.proto !== PROTO.UDP) return own;
  const ends = [
    `${p.src0}.${p.src1}.${p.src2}.${p.src3}:${p.srcPort}`,
    `${p.dst0}.${p.dst1}.${p.dst2}.${p.dst3}:${p.dstPort}`,
  ];
  const key = `${p.proto} ${ends.sort().join(' ')}`;
  const known = movedBy.get(key) ?? own;
  movedBy.set(key, known);
  return known;
}

/** Steps begin and end FACTOR times as late. */
function stretchTruth(truth: Truth, firstUs: number, factor: number): Truth {
  const later = (us: number): number => us + Math.max(0, us - firstUs) * (factor - 1);
  const steps = truth.steps.map((step) => ({ ...step, startUs: later(step.startUs), endUs: later(step.endUs) }));
  return { ...truth, speed: `${truth.speed}, times ${factor}`, steps };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [run, out, factor] = process.argv.slice(2);
  if (run === undefined || out === undefined || !(Number(factor) >= 1))
    throw new Error('usage: stretch.ts RUN OUT FACTOR');
  console.log(`${await stretchRun(run, out, Number(factor))} packets -> ${out}`);
}
