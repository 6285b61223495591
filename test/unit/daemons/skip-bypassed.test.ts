import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadRules, SignatureEngine, signatureOptionsSchema } from '../../../src/detect/signature/index.js';
import { createPipeline } from '../../../src/daemons/pipeline.js';
import { sensorBypass, skipBypassed } from '../../../src/daemons/sensor/skip-bypassed.js';
import { observeSignatures } from '../../../src/daemons/signature-observer.js';
import type { PacketObserver } from '../../../src/domain/stage.js';
import { parseConfig, type LoadedConfig } from '../../../src/config/index.js';
import { LINK } from '../../../src/domain/packet.js';
import { segment, type Segment } from '../inline/segments.js';

const RULES = `alert tcp any any -> any any (msg:"evil"; content:"evil"; sid:1; rev:1;)`;
const RULE = { after_kib: 1, encrypted: true, apps: [] as string[] };
const KIB = 'x'.repeat(1024);

/** A sensor's packet path with signatures that skip, and beside them an observer that counts what it is shown. */
function bench(skips = true) {
  const found: string[] = [];
  const loaded = loadRules([{ file: 'test.rules', text: RULES }], {});
  assert.deepEqual(loaded.problems, []);
  const engine = new SignatureEngine(loaded.rules, signatureOptionsSchema.parse({}), {
    sensor: 's',
    emit: (d) => void found.push(d.title),
  });
  const signatures = observeSignatures(engine, { stream: {} });
  const seen = { packets: 0 };
  const other: PacketObserver = { onPacket: () => void seen.packets++, stats: () => ({}) };
  const pipeline = createPipeline({}, { observers: [skips ? skipBypassed(signatures, RULE) : signatures, other] });
  let atUs = 1_700_000_000_000_000;
  const push = (more: Segment): void => {
    const data = segment(more);
    const one = (value: number): Int32Array => Int32Array.of(value);
    pipeline.push({
      data,
      count: 1,
      offset: one(0),
      capLen: one(data.length),
      wireLen: one(data.length),
      tsUs: Float64Array.of((atUs += 1000)),
      linkType: LINK.RAW,
      interfaceId: 0,
    });
  };
  return { push, found, seen, pipeline, stats: () => pipeline.stats() };
}

/** One connection: the client asks, the server answers; each knows how much it has sent. */
function connection(b: ReturnType<typeof bench>, { srcPort = 40_000, isFromStart = true } = {}) {
  const client = { srcPort, dstPort: 80 };
  const server = { srcPort: 80, dstPort: srcPort, isReply: true };
  if (isFromStart) {
    b.push({ ...client, seq: 999, flags: 'S' });
    b.push({ ...server, seq: 4999, ack: 1000, flags: 'SA' });
  }
  b.push({ ...client, seq: 1000, ack: 5000, flags: 'A' });
  let sent = 0;
  let asked = 0;
  return {
    answer(text: string, isAcknowledged = true): void {
      b.push({ ...server, seq: 5000 + sent, ack: 1000 + asked, flags: 'PA', text });
      sent += text.length;
      if (isAcknowledged) b.push({ ...client, seq: 1000 + asked, ack: 5000 + sent, flags: 'A' });
    },
    ask(text: string): void {
      b.push({ ...client, seq: 1000 + asked, ack: 5000 + sent, flags: 'PA', text });
      asked += text.length;
      b.push({ ...server, seq: 5000 + sent, ack: 1000 + asked, flags: 'A' });
    },
    reset: () => b.push({ ...client, seq: 1000 + asked, ack: 5000 + sent, flags: 'RA' }),
  };
}

describe('what the sensor skips', () => {
  it('the rest of a direction that was harmless for long; the other direction is looked at, and others see all', () => {
    const b = bench();
    const c = connection(b);
    c.answer(KIB);
    for (let i = 0; i < 5; i++) c.answer(KIB);
    c.answer('evil');
    assert.deepEqual(b.found, [], 'skipped');
    c.ask('evil');
    assert.deepEqual(b.found, ['evil']);
    const { bypass_directions: directions, bypass_packets: packets, bypass_bytes: bytes } = b.stats();
    assert.equal(directions, 1);
    // Five answers and the evil one; what acknowledges the client's evil is looked at.
    assert.equal(packets, 6);
    assert.ok(bytes! > 5 * 1024);
    assert.equal(b.seen.packets, b.pipeline.packets);
    const control = bench(false);
    const d = connection(control);
    for (let i = 0; i < 6; i++) d.answer(KIB);
    d.answer('evil');
    assert.deepEqual(control.found, ['evil'], 'the control: without skipping it is found');
  });

  it('never a connection that began before we watched', () => {
    const b = bench();
    const c = connection(b, { isFromStart: false });
    for (let i = 0; i < 6; i++) c.answer(KIB);
    assert.equal(b.stats()['bypass_directions'], 0);
  });

  it('nothing for bytes that nobody has acknowledged: they may have been sent past the victim', () => {
    const b = bench();
    const c = connection(b);
    for (let i = 0; i < 6; i++) c.answer(KIB, false);
    assert.equal(b.stats()['bypass_directions'], 0);
    c.answer('');
    assert.equal(b.stats()['bypass_directions'], 1, 'the control: now they are acknowledged');
  });

  it('a new connection in the place of one that was skipped is looked at again', () => {
    const b = bench();
    const c = connection(b);
    for (let i = 0; i < 3; i++) c.answer(KIB);
    c.reset();
    b.pipeline.flush();
    connection(b).answer('evil');
    assert.deepEqual(b.found, ['evil']);
  });

  it('is what inline lets pass, on a box that has inline verdicts or when it is told so', () => {
    const rule = (text: string) => sensorBypass(parseConfig(text, 'x.yaml') as LoadedConfig);
    assert.equal(rule('{}'), undefined);
    assert.equal(rule('inline: { enabled: true, bypass: { after_kib: 64 } }')?.after_kib, 64);
    assert.equal(rule('detect: { signature: { bypass: always } }')?.after_kib, 1024);
    assert.equal(rule('{ inline: { enabled: true }, detect: { signature: { bypass: never } } }'), undefined);
  });
});
