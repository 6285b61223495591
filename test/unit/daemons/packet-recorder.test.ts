import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Detection } from '../../../src/domain/detection.js';
import { createPacketRecorder, type Evidence } from '../../../src/daemons/sensor/packet-recorder.js';
import { packet, T0 } from '../support/packets.js';

const base: Detection = {
  id: 'd', tier: 'signature', signatureId: 1, gid: 1, rev: 1, label: 'l', title: 't', category: 'c', severity: 'high', score: 1, confidence: 1,
  offender: '10.0.0.1', spoofable: false, evidence: [], packetUs: T0, detectedUs: T0, sensor: 's', flowId: 1,
  srcIp: '10.0.0.1', srcPort: 40_000, dstIp: '10.0.0.2', dstPort: 80, proto: 6,
}; // prettier-ignore

/** A whole frame, as the sensor sees it. */
function frame(fields: Parameters<typeof packet>[0], mark: number) {
  const p = packet(fields);
  p.capLen = p.wireLen = p.data.length;
  p.frameOffset = 0;
  p.data[0] = mark;
  return p;
}
const marks = (evidence: Evidence | undefined): number[] =>
  (evidence?.packets ?? []).map(({ data }) => Buffer.from(data, 'base64')[0] ?? -1);

describe('the packet recorder', () => {
  function record(options = { ringBytes: 1 << 20, snapBytes: 200, packets: 6 }) {
    const sent: Evidence[] = [];
    const recorder = createPacketRecorder(options, (evidence) => sent.push(evidence));
    const see = (p: ReturnType<typeof frame>): void => {
      recorder.observer.onPacket(p, {} as never, 0, 0, false);
    };
    recorder.tick(T0);
    return { recorder, see, sent };
  }

  it('gives the packets of the flow both ways, from before the finding at once and from after it later', () => {
    const { recorder, see, sent } = record();
    see(frame({ at: 0 }, 1));
    see(frame({ at: 0.1, src: '10.0.0.9' }, 2));
    see(frame({ at: 0.2, src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 40_000 }, 3));
    see(frame({ at: 0.3, sport: 50_000 }, 4));
    recorder.note(base);
    assert.deepEqual(marks(sent[0]), [1, 3]);
    see(frame({ at: 0.4 }, 5));
    recorder.tick(T0 + 100_000);
    assert.equal(sent.length, 1, 'not yet');
    recorder.tick(T0 + 2_000_000);
    assert.deepEqual(marks(sent[1]), [5]);
  });

  it('gives those of the offender for a behaviour, and nothing again for the same finding', () => {
    const { recorder, see, sent } = record();
    for (let n = 1; n <= 4; n++) see(frame({ at: n / 10, dport: n }, n));
    recorder.note({ ...base, tier: 'behaviour' });
    recorder.note({ ...base, tier: 'behaviour', id: 'again', detectedUs: T0 + 1_000_000 });
    assert.equal(sent.length, 1);
    assert.deepEqual(marks(sent[0]), [2, 3, 4], 'half of the packets, the newest');
  });

  it('keeps whole packets only, however often the ring has been round', () => {
    const { recorder, see, sent } = record({ ringBytes: 4096, snapBytes: 400, packets: 400 });
    for (let n = 0; n < 1000; n++) see(frame({ at: n / 1000, payload: (n * 37) % 400 }, n % 251));
    recorder.note({ ...base, tier: 'behaviour' });
    const found = marks(sent[0]);
    assert.ok(found.length >= 4 && found.length < 40, String(found.length));
    const expected = Array.from({ length: found.length }, (_, i) => (1000 - found.length + i) % 251);
    assert.deepEqual(found, expected);
    assert.equal(recorder.stats()['evidence_packets'], found.length);
  });
});
