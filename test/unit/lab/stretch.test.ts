import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFileSource, openPcapWriter } from '../../../src/capture/index.js';
import { LINK, TCP } from '../../../src/domain/packet.js';
import { stretchRun } from '../../lab/stretch.js';
import { writeTruth, type Truth } from '../../lab/truth.js';
import { T0 } from '../support/packets.js';

/** An Ethernet frame with a TCP segment between two ports of 10.0.0.1 and 10.0.0.2, without payload. */
function frame(sport: number, dport: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(54);
  const view = new DataView(bytes.buffer);
  const isBack = sport < dport;
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x4500);
  view.setUint16(16, 40);
  view.setUint16(22, 0x4006);
  view.setUint32(26, isBack ? 0x0a000002 : 0x0a000001);
  view.setUint32(30, isBack ? 0x0a000001 : 0x0a000002);
  view.setUint16(34, sport);
  view.setUint16(36, dport);
  view.setUint16(46, 0x5000 | flags);
  return bytes;
}

function arp(): Uint8Array {
  const bytes = new Uint8Array(42);
  bytes.set([8, 6, 0, 1, 8, 0, 6, 4, 0, 1], 12);
  return bytes;
}

/** Milliseconds after T0 and source port (0 without TCP) of each packet. */
async function packetsOf(file: string): Promise<[ms: number, port: number][]> {
  const out: [number, number][] = [];
  const source = await openFileSource(file);
  await source.run((block) => {
    for (let i = 0; i < block.count; i++) {
      const at = block.offset[i]!;
      const isTcp = block.data[at + 12] === 8 && block.data[at + 13] === 0;
      const port = isTcp ? (block.data[at + 34]! << 8) | block.data[at + 35]! : 0;
      out.push([Math.round((block.tsUs[i]! - T0) / 1000), port]);
    }
  }, new AbortController().signal);
  source.close();
  return out;
}

test('a stretched run moves its connections apart, keeps the time inside each, and moves its truth along', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'stretch-'));
  try {
    const run = join(dir, 'run');
    mkdirSync(run);
    const writer = openPcapWriter(join(run, 'capture.pcap'), LINK.ETHERNET);
    const frames: [ms: number, data: Uint8Array][] = [
      [0, frame(4001, 22, TCP.SYN)],
      [5, frame(22, 4001, TCP.SYN | TCP.ACK)],
      [1000, frame(4002, 22, TCP.SYN)],
      [1005, frame(22, 4002, TCP.SYN | TCP.ACK)],
      [1500, arp()],
      [1900, frame(4001, 22, TCP.ACK)],
    ];
    for (const [ms, data] of frames) writer.writeFrame(data, T0 + ms * 1000, data.length);
    writer.close();
    const step = {
      startUs: T0 + 1_000_000,
      endUs: T0 + 2_000_000,
      label: 'x',
      malicious: true,
      technique: '',
      tool: '',
    };
    const truth = { scenario: 's', speed: 'fast', steps: [{ ...step, sources: [], targets: [], command: '' }] };
    writeTruth(run, truth as unknown as Truth);

    assert.equal(await stretchRun(run, join(dir, 'same'), 1), frames.length);
    assert.deepEqual(
      (await packetsOf(join(dir, 'same', 'capture.pcap'))).map(([ms]) => ms),
      frames.map(([ms]) => ms),
    );

    await stretchRun(run, join(dir, 'long'), 160);
    assert.deepEqual(await packetsOf(join(dir, 'long', 'capture.pcap')), [
      [0, 4001],
      [5, 22],
      [1900, 4001],
      [160_000, 4002],
      [160_005, 22],
      [240_000, 0],
    ]);
    const moved = JSON.parse(readFileSync(join(dir, 'long', 'truth.json'), 'utf8')) as Truth;
    assert.equal(moved.speed, 'fast, times 160');
    assert.deepEqual([moved.steps[0]!.startUs - T0, moved.steps[0]!.endUs - T0], [160e6, 320e6]);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
