import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openPcapWriter } from '../../../../src/capture/index.js';
import type { Job } from '../../../../src/contract/http.js';
import { createCaptureLibrary } from '../../../../src/daemons/lab/captures.js';
import { createJobBook, type JobBook } from '../../../../src/daemons/lab/jobs.js';
import { labOptionsSchema } from '../../../../src/daemons/lab/options.js';
import { SAMPLE_OFFENDER, sampleFrames } from '../../../../src/daemons/sensor/test-packets.js';
import { silentLogger } from '../../../../src/util/logger.js';

const LIMIT_MS = 60_000;
const POLICY = `format: 1
name: web
description: Web attacks
when:
  tiers: [signature]
respond:
  ladder:
    - { action: block, scope: ip, duration: 10m }
`;
const LONGER = POLICY.replace('10m', '2h');

/** One chunk after the other, as an upload arrives. */
function* inChunks(bytes: Buffer, size = 1000): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
const upload = (bytes: Buffer) =>
  (async function* () {
    await Promise.resolve();
    yield* inChunks(bytes);
  })();

async function ended(jobs: JobBook, id: string): Promise<Job> {
  const end = Date.now() + LIMIT_MS;
  for (;;) {
    const job = jobs.get(id);
    if (job.endedMs !== null) return job;
    assert.ok(Date.now() < end, `the job is still ${job.state}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('the offline lab', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lab-'));
  const options = labOptionsSchema.parse({ max_bytes: 2 * 1024 * 1024 });
  const pcap = join(dir, 'attack.pcap');
  const changes: Job[] = [];
  let bytes: Buffer;
  const openLibrary = () => createCaptureLibrary(join(dir, 'captures'), options);
  const captures = openLibrary();
  const openJobs = () =>
    createJobBook(join(dir, 'jobs'), options, {
      captures,
      configFile: undefined,
      policyTexts: () => Promise.resolve([POLICY]),
      changed: (job) => changes.push(job),
      log: silentLogger,
    });
  const jobs = openJobs();

  before(() => {
    const writer = openPcapWriter(pcap, 1);
    const frames = [...sampleFrames('sql_injection'), ...sampleFrames('port_scan')];
    for (const [i, frame] of frames.entries()) writer.writeFrame(frame, 1_735_689_600_000_000 + i * 1000);
    writer.close();
    bytes = readFileSync(pcap);
  });
  after(async () => {
    await jobs.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('keeps an upload byte for byte, counts its packets, and shows them with layers and bytes', async () => {
    const capture = await captures.add('attack.pcap', 'ada', upload(bytes));
    assert.equal(capture.format, 'pcap');
    assert.equal(capture.bytes, bytes.length);
    assert.equal(capture.packets, 210);
    assert.equal(capture.lastUs - capture.firstUs, 209_000);
    assert.deepEqual(readFileSync(captures.path(capture.id)), bytes);
    const first = await captures.packets(capture.id, { limit: 2 });
    assert.deepEqual(
      first.items.map(({ src, dst, srcPort, dstPort, proto, info }) => ({ src, dst, srcPort, dstPort, proto, info })),
      [
        { src: SAMPLE_OFFENDER, dst: '192.0.2.10', srcPort: 43001, dstPort: 80, proto: 'tcp', info: 'SYN, seq 1000, ack 0, window 64240' },
        { src: '192.0.2.10', dst: SAMPLE_OFFENDER, srcPort: 80, dstPort: 43001, proto: 'tcp', info: 'SYN ACK, seq 5000, ack 1001, window 64240' },
      ],
    ); // prettier-ignore
    const second = await captures.packets(capture.id, { limit: 2, cursor: first.nextCursor ?? '' });
    assert.deepEqual(
      second.items.map((p) => p.number),
      [3, 4],
    );
    const request = await captures.packet(capture.id, 4);
    assert.match(Buffer.from(request.hex, 'hex').toString('latin1'), /GET \/items\?id=1%27%20UNION/);
    assert.deepEqual(
      request.layers.map((layer) => layer.name),
      ['ethernet', 'ipv4', 'tcp', 'payload'],
    );
    const scan = await captures.packets(capture.id, { limit: 200, q: 'port:8 -proto:udp' });
    assert.deepEqual(
      scan.items.map((p) => p.info.split(',')[0]),
      ['SYN', 'RST ACK'],
    );
    await assert.rejects(captures.packet(capture.id, 211), { code: 'lab.not_found' });
  });

  it('refuses what is no capture, and what is too large, and keeps nothing of it', async () => {
    const kept = captures.list().length;
    await assert.rejects(captures.add('notes.txt', 'ada', upload(Buffer.from('just text, long enough to look at'))), {
      code: 'capture.not_a_capture',
    });
    await assert.rejects(captures.add('large.pcap', 'ada', upload(Buffer.alloc(3 * 1024 * 1024))), {
      code: 'lab.full',
    });
    assert.equal(captures.list().length, kept);
  });

  it('runs detectors and policies, compares a candidate, and gives the same after a restart', async () => {
    const [capture] = captures.list();
    assert.ok(capture);
    const request = { captureId: capture.id, signatures: true, behaviour: true, models: false, candidate: LONGER };
    const { id } = await jobs.add(request, 'ada');
    const job = await ended(jobs, id);
    assert.equal(job.state, 'done', job.error ?? '');
    const result = job.result;
    assert.ok(result?.candidate);
    assert.equal(result.packets, 210);
    assert.deepEqual(result.labels.map(({ label }) => label).sort(), ['port_scan', 'web-application-attack']);
    assert.equal(result.active.decisions, 1);
    const again = openJobs();
    for (const book of [jobs, again]) {
      const { items } = await book.alerts(id, { limit: 50, q: 'union select' });
      assert.equal(items.length, 1);
      assert.equal(items[0]?.offender, SAMPLE_OFFENDER);
      const blocks = await book.blocks(id, { limit: 50 });
      assert.equal(blocks.items.length, 1);
      const [block] = blocks.items;
      assert.equal(block?.value, SAMPLE_OFFENDER);
      assert.equal(block?.side, 'both');
      assert.equal(block?.durationSecs, 600);
      assert.equal(block?.candidate?.durationSecs, 7200);
    }
    assert.deepEqual([...new Set(changes.filter((c) => c.id === id).map((c) => c.state))], ['running', 'done']);
  });

  it('cancels a job, removes it, and lets the jobs go with their capture', async () => {
    const [capture] = captures.list();
    assert.ok(capture);
    const request = { captureId: capture.id, signatures: true, behaviour: true, models: true };
    const { id } = await jobs.add(request, 'ada');
    await jobs.remove(id);
    assert.equal(jobs.get(id).state, 'cancelled');
    await jobs.remove(id);
    assert.throws(() => jobs.get(id), { code: 'lab.not_found' });
    await jobs.removeOf(capture.id);
    await captures.remove(capture.id);
    assert.deepEqual(jobs.list(), []);
    assert.deepEqual(openLibrary().list(), []);
  });
});
