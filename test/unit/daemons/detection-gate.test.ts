import assert from 'node:assert/strict';
import test from 'node:test';
import type { Detection } from '../../../src/domain/detection.js';
import { createDetectionGate } from '../../../src/daemons/sensor/detection-gate.js';

const T0 = 1.7e15;

function found(at: number, overrides: Partial<Detection> = {}): Detection {
  const base = { offender: '203.0.113.7', gid: 3, signatureId: 1, label: 'port_scan', spoofable: true };
  return { ...base, detectedUs: T0 + at, ...overrides } as Detection;
}

function setUp(maxKeys = 100) {
  const sent: Detection[] = [];
  const gate = createDetectionGate({ intervalUs: 200_000, maxKeys }, (d) => sent.push(d));
  return { gate, sent, summary: () => sent.map((d) => [(d.detectedUs - T0) / 1000, d.repeats ?? 0]) };
}

test('the first finding goes at once, repetitions go together, the newest with their count', () => {
  const { gate, summary } = setUp();
  for (const ms of [0, 10, 20, 30]) gate.push(found(ms * 1000));
  assert.deepEqual(summary(), [[0, 0]]);
  gate.tick(T0 + 100_000);
  assert.equal(summary().length, 1);
  gate.tick(T0 + 200_000);
  assert.deepEqual(summary(), [
    [0, 0],
    [30, 2],
  ]);
});

test('another offender, another finding and a proof of address never wait', () => {
  const { gate, sent } = setUp();
  gate.push(found(0));
  gate.push(found(1, { offender: '203.0.113.8' }));
  gate.push(found(2, { label: 'host_sweep' }));
  gate.push(found(3, { spoofable: false }));
  assert.equal(sent.length, 4);
});

test('nothing is lost: every finding is sent or counted in one that is', () => {
  const { gate, sent } = setUp(8);
  for (let i = 0; i < 1000; i++) gate.push(found(i * 1000, { offender: `203.0.113.${(i * 7) % 20}` }));
  gate.flush();
  assert.equal(
    sent.reduce((sum, d) => sum + 1 + (d.repeats ?? 0), 0),
    1000,
  );
  assert.ok((gate.stats()['detection_keys'] ?? 0) <= 8);
});
