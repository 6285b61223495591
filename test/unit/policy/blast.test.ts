import assert from 'node:assert/strict';
import test from 'node:test';
import type { FlowRecord } from '../../../src/domain/flow.js';
import { createBlastTracker } from '../../../src/policy/index.js';
import { parseCidr } from '../../../src/util/ip.js';

const T0 = 1_700_000_000_000;

function flow(srcIp: string, dstIp: string, overrides: Partial<FlowRecord> = {}): FlowRecord {
  return {
    flowId: 1,
    communityId: '',
    ipVersion: 4,
    proto: 6,
    srcIp,
    srcPort: 1,
    dstIp,
    dstPort: 443,
    startUs: T0 * 1000,
    endUs: T0 * 1000,
    packetsFwd: 5,
    packetsBwd: 5,
    bytesFwd: 500,
    bytesBwd: 500,
    payloadFwd: 100,
    payloadBwd: 100,
    tcpFlagsFwd: 0,
    tcpFlagsBwd: 0,
    tcpState: 3,
    endReason: 'closed',
    vlan: 0,
    interfaceId: 0,
    icmpType: -1,
    icmpCode: -1,
    ...overrides,
  };
}

function tracker(maxAddresses = 1000) {
  return createBlastTracker({ maxAddresses, windowMs: 86_400_000, homeNetworks: ['192.168.0.0/16'] });
}

test('answered flows between an outside address and inside hosts count, whoever opened them', () => {
  const t = tracker();
  t.note(flow('203.0.113.7', '192.168.1.1'));
  t.note(flow('192.168.1.2', '203.0.113.7'));
  assert.deepEqual(t.radius(parseCidr('203.0.113.7')!, T0), { benignFlows: 2, benignPeers: 2 });
});

test('unanswered flows and flows among outside hosts do not count', () => {
  const t = tracker();
  t.note(flow('203.0.113.7', '192.168.1.1', { payloadBwd: 0 }));
  t.note(flow('203.0.113.7', '198.51.100.1'));
  t.note(flow('192.168.1.1', '192.168.1.2'));
  assert.equal(t.radius(parseCidr('203.0.113.7')!, T0), undefined);
});

test('a prefix adds up its members', () => {
  const t = tracker();
  t.note(flow('203.0.113.7', '192.168.1.1'));
  t.note(flow('203.0.113.8', '192.168.1.1'));
  t.note(flow('203.0.114.8', '192.168.1.1'));
  assert.deepEqual(t.radius(parseCidr('203.0.113.0/24')!, T0), { benignFlows: 2, benignPeers: 1 });
});

test('an address that an alert names, or that was quiet for the window, has no benign flows', () => {
  const t = tracker();
  t.note(flow('203.0.113.7', '192.168.1.1'));
  assert.equal(t.radius(parseCidr('203.0.113.7')!, T0 + 86_400_001), undefined);
  t.condemn('203.0.113.7');
  assert.equal(t.radius(parseCidr('203.0.113.7')!, T0), undefined);
});

test('the table is bounded and forgets the quietest address', () => {
  const t = tracker(2);
  for (const last of [1, 2, 3]) t.note(flow(`203.0.113.${last}`, '192.168.1.1'));
  assert.equal(t.size, 2);
  assert.equal(t.radius(parseCidr('203.0.113.1')!, T0), undefined);
});
