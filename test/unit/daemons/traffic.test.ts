import assert from 'node:assert/strict';
import test from 'node:test';
import type { FlowRecord } from '../../../src/domain/flow.js';
import { createTrafficStats } from '../../../src/daemons/server/traffic.js';

const T0 = 1_700_000_000_000;

function flow(srcIp: string, bytes: number): FlowRecord {
  return {
    flowId: 1,
    communityId: '',
    ipVersion: 4,
    proto: 6,
    srcIp,
    srcPort: 1,
    dstIp: '192.0.2.1',
    dstPort: 443,
    startUs: 0,
    endUs: 0,
    packetsFwd: 1,
    packetsBwd: 1,
    bytesFwd: bytes,
    bytesBwd: 0,
    payloadFwd: 0,
    payloadBwd: 0,
    tcpFlagsFwd: 0,
    tcpFlagsBwd: 0,
    tcpState: 0,
    endReason: 'idle',
    vlan: 0,
    interfaceId: 0,
    icmpType: -1,
    icmpCode: -1,
  };
}

test('cumulative sensor counters become differences on the timeline, also after a restart of the sensor', () => {
  const t = createTrafficStats();
  t.sensor('a', { packets: 100, bytes: 1000, kernelDrops: 0 }, T0);
  t.sensor('a', { packets: 150, bytes: 1500, kernelDrops: 1 }, T0 + 10_000);
  t.sensor('a', { packets: 20, bytes: 200, kernelDrops: 0 }, T0 + 20_000);
  const { timeline } = t.overview(1, T0 + 20_000);
  assert.deepEqual(
    timeline.slice(-3).map((p) => [p.packets, p.bytes, p.kernelDrops]),
    [
      [100, 1000, 0],
      [50, 500, 1],
      [20, 200, 0],
    ],
  );
});

test('talkers fade: traffic of more than an hour ago is no longer among them', () => {
  const t = createTrafficStats();
  t.flow(flow('198.51.100.1', 10), T0);
  assert.equal(
    t.overview(60, T0).talkers.some((x) => x.address === '198.51.100.1'),
    true,
  );
  assert.equal(
    t.overview(60, T0 + 3_700_000).talkers.some((x) => x.address === '198.51.100.1'),
    false,
  );
});

test('the table of talkers stays bounded and keeps the heavy ones', () => {
  const t = createTrafficStats();
  t.flow(flow('203.0.113.99', 1e9), T0);
  for (let i = 0; i < 10_000; i++) t.flow(flow(`198.51.${i >> 8}.${i & 255}`, 1), T0);
  const talkers = t.overview(60, T0).talkers.map((x) => x.address);
  assert.deepEqual(talkers.slice(0, 2), ['192.0.2.1', '203.0.113.99']);
});

test('the timeline has at most 180 points however long the span, and each step belongs to one point', () => {
  const t = createTrafficStats();
  for (let i = 0; i < 360; i++) t.sensor('a', { packets: (i + 1) * 10, bytes: 0, kernelDrops: 0 }, T0 + i * 10_000);
  const o = t.overview(60, T0 + 359 * 10_000);
  assert.equal(o.timeline.length, 180);
  assert.equal(
    o.timeline.reduce((sum, p) => sum + p.packets, 0),
    3600,
  );
});
