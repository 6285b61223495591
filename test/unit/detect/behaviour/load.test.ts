import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPipeline } from '../../../../src/daemons/pipeline.js';
import type { Detection } from '../../../../src/domain/detection.js';
import { LINK, type PacketBlock } from '../../../../src/domain/packet.js';
import { behaviourOptionsSchema, createBehaviour } from '../../../../src/detect/behaviour/index.js';

const BLOCK = 1000;
const FRAME = 64;
const SCANNER = 0xcb007109;
const MIB = 1_048_576;

/** SYNs to 198.51.100.1:443, filled in by the test. */
function synBlock(): PacketBlock {
  const frame = new Uint8Array(FRAME);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  view.setUint16(14, 0x4500);
  view.setUint16(16, 40);
  view.setUint8(22, 64);
  view.setUint8(23, 6);
  view.setUint32(30, 0xc6336401);
  view.setUint8(46, 0x50);
  view.setUint8(47, 0x02);
  const data = new Uint8Array(BLOCK * FRAME);
  for (let i = 0; i < BLOCK; i++) data.set(frame, i * FRAME);
  return {
    data,
    count: BLOCK,
    offset: Int32Array.from({ length: BLOCK }, (_, i) => i * FRAME),
    capLen: new Int32Array(BLOCK).fill(60),
    wireLen: new Int32Array(BLOCK).fill(60),
    tsUs: new Float64Array(BLOCK),
    linkType: LINK.ETHERNET,
    interfaceId: 0,
  };
}

interface Flood {
  detections: Detection[];
  stats: Record<string, number>;
  /** Typed arrays of detectors and flow table: made at the start, and at the end. */
  madeMiB: number;
  endMiB: number;
}

/** A SYN flood of ever new random sources, in which one real source scans: one probe every 500 packets. */
function flood(packets: number, perSec: number, options: object = {}): Flood {
  const detections: Detection[] = [];
  const before = process.memoryUsage().arrayBuffers;
  const behaviour = createBehaviour(behaviourOptionsSchema.parse(options), { emit: (d) => detections.push(d) });
  const made = process.memoryUsage().arrayBuffers;
  const pipeline = createPipeline({ flow: { maxFlows: 65_536 } }, { observers: [behaviour] });
  const block = synBlock();
  const view = new DataView(block.data.buffer);
  let random = 0x2545f491;
  let sent = 0;
  let probes = 0;
  while (sent < packets) {
    for (let i = 0; i < BLOCK; i++, sent++) {
      random ^= random << 13;
      random ^= random >>> 17;
      random ^= random << 5;
      const isProbe = sent % 500 === 250;
      view.setUint32(i * FRAME + 26, isProbe ? SCANNER : random >>> 0);
      view.setUint32(i * FRAME + 30, isProbe ? 0xc6336402 : 0xc6336401);
      view.setUint16(i * FRAME + 34, isProbe ? 50_000 : 1024 + ((random >>> 7) % 60_000));
      view.setUint16(i * FRAME + 36, isProbe ? 1 + probes++ : 443);
      block.tsUs[i] = 1.8e15 + (sent / perSec) * 1e6;
    }
    pipeline.push(block);
  }
  pipeline.tick(pipeline.nowUs + 1e6);
  const end = process.memoryUsage().arrayBuffers;
  return { detections, stats: pipeline.stats(), madeMiB: (made - before) / MIB, endMiB: (end - before) / MIB };
}

function assertFound({ detections }: Flood, secsOfTenth: number): void {
  const scan = detections.find((d) => d.label === 'port_scan' && d.offender === '203.0.113.9');
  assert.ok(scan, 'the real scan inside the flood');
  assert.ok((scan.detectedUs - 1.8e15) / 1e6 < secsOfTenth + 1.5, String((scan.detectedUs - 1.8e15) / 1e6));
  const floods = detections.filter((d) => d.label === 'syn_flood');
  assert.ok(floods.length > 0);
  assert.ok(
    floods.every((d) => d.noBlock === true && d.victim === '198.51.100.1'),
    'nobody is blocked for forged SYNs',
  );
  const others = detections.filter((d) => d.label !== 'syn_flood' && d.offender !== '203.0.113.9');
  assert.deepEqual(
    others.map((d) => `${d.label} ${d.offender}`),
    [],
  );
}

test('a million sources in a minute stay within the tables that were made at the start, and a scan among them is found', () => {
  const r = flood(1_000_000, 1_000_000 / 60);
  assertFound(r, (10 * 500) / (1_000_000 / 60));
  assert.ok(r.stats['behaviour_sources_evicted']! > 800_000, 'what is shed is counted');
  assert.ok(r.madeMiB < 200, `${r.madeMiB} MiB made`);
  assert.ok(r.endMiB - r.madeMiB < 64, `${(r.endMiB - r.madeMiB).toFixed(0)} MiB more at the end, flow table included`);
});

test('at 300,000 SYNs a second attempts are judged early, which is counted, and the scan inside is still found', () => {
  const r = flood(600_000, 300_000);
  assertFound(r, (10 * 500) / 300_000);
  assert.ok(r.stats['behaviour_judged_early']! > 0);
});

test('the tables obey their options', () => {
  const small = flood(50_000, 100_000, { maxSources: 4096, maxTargets: 512, maxNetworks: 256 });
  assert.ok(small.madeMiB < 40, `${small.madeMiB} MiB`);
  assertFound(small, 0.05);
});
