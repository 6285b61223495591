import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../src/domain/packet.js';
import { createFlowFeatures, FLOW_SCHEMA, flowFeatureOptionsSchema } from '../../../src/features/index.js';
import { Feed, packet, type PacketFields } from '../support/packets.js';

const COLUMN = FLOW_SCHEMA.features.findIndex((f) => f.name === 'newcomers_unanswered');
const SYN = { flags: TCP.SYN };

/** Pushes packets, ends all flows, and gives the feature of each end vector in the order the flows began. */
function ofFlows(packets: readonly PacketFields[]): number[] {
  const values: number[] = [];
  const slots = new Set<number>();
  const features = createFlowFeatures(flowFeatureOptionsSchema.parse({ earlyMs: 1900, earlyPackets: 100 }), {
    emit: (v, _packet, _flows, _slot, moment) => moment === 'end' && values.push(v.values[COLUMN]!),
  });
  const feed = new Feed(features);
  for (const p of packets) slots.add(feed.push(packet(p)));
  for (const slot of slots) feed.end(slot);
  return values.map((v) => Number(v.toFixed(4)));
}

/** One question of each of `count` sources to as many targets, within a second. */
function strangers(count: number, fields: PacketFields = SYN, at = 0): PacketFields[] {
  return Array.from({ length: count }, (_, i) => ({
    at: at + i / count,
    src: `198.18.${i >> 8}.${i & 0xff}`,
    dst: `203.0.113.${1 + (i % 250)}`,
    ...fields,
  }));
}

/** What comes back to them. */
function answers(asked: readonly PacketFields[], fields: PacketFields): PacketFields[] {
  return asked.map(({ at = 0, src, dst }) => ({
    at: at + 0.01,
    src: dst!,
    dst: src!,
    sport: 80,
    dport: 40_000,
    ...fields,
  }));
}

test('a flood of which each packet has its own source and target shows in every flow of it', () => {
  assert.deepEqual(ofFlows(strangers(100)), new Array(100).fill(0.8));
  assert.deepEqual(ofFlows(strangers(100, { proto: PROTO.UDP })), new Array(100).fill(0.8));
  assert.deepEqual(ofFlows(strangers(100, { proto: PROTO.ICMP, icmpType: 8 })), new Array(100).fill(0.8));
});

test('twenty that ask in vain are nothing, and one more is little', () => {
  assert.deepEqual(ofFlows(strangers(20)), new Array(20).fill(0));
  assert.deepEqual(ofFlows(strangers(21)), new Array(21).fill(Number((1 / 21).toFixed(4))));
});

test('newcomers that are answered lower the share and have none themselves', () => {
  const asked = strangers(100);
  const served = asked.slice(0, 60);
  const lost = asked.slice(60);
  for (const [name, heard] of [
    ['SYN-ACK', answers(served, { flags: TCP.SYN | TCP.ACK })],
    ['RST', answers(served, { flags: TCP.RST | TCP.ACK })],
    ['an ACK of the source, where answers take another way', served.map((p) => ({ ...p, flags: TCP.ACK }))],
  ] as const) {
    const values = ofFlows([...served, ...lost, ...heard].sort((a, b) => a.at! - b.at!));
    assert.deepEqual(values.slice(0, 60), new Array(60).fill(0), name);
    assert.deepEqual(values.slice(60), new Array(40).fill((40 - 20) / 100), name);
  }
});

test('what new sources ask next has the share too and is no newcomer more; what known sources ask has none', () => {
  const asked = strangers(100);
  const again = ofFlows([...asked, ...asked.map((p) => ({ ...p, at: p.at! + 1, dport: 81 }))]);
  assert.deepEqual(again, new Array(200).fill(0.8));
  const known = asked.map((p) => ({ ...p, at: p.at! + 100, dport: 81 }));
  assert.deepEqual(new Set(ofFlows([...asked, ...known]).slice(100)), new Set([0]));
});

test('what asks nobody in particular is no newcomer', () => {
  for (const [name, fields] of [
    ['a connection that began before', { flags: TCP.ACK }],
    ['multicast', { proto: PROTO.UDP, dst: '224.0.0.251' }],
    ['IPv6 multicast', { proto: PROTO.UDP, src: 'fd00::1', dst: 'ff02::fb' }],
    ['broadcast', { proto: PROTO.UDP, dst: '203.0.113.255' }],
    ['an ICMP error', { proto: PROTO.ICMP, icmpType: 3 }],
    ['another protocol', { proto: PROTO.GRE }],
  ] as [string, PacketFields][]) {
    assert.deepEqual(new Set(ofFlows(strangers(100, fields))), new Set([0]), name);
  }
});

test('newcomers are forgotten when the short window is over', () => {
  const values = ofFlows([...strangers(100), ...strangers(30, { ...SYN, dport: 81, src: '192.0.2.1' }, 25)]);
  assert.ok(Math.max(...values.slice(100)) === 0, 'one source is one newcomer');
  const late = ofFlows([...strangers(100), { at: 15, src: '192.0.2.9', ...SYN }]);
  // Half of the hundred are still inside a window that began 10 s after the first.
  assert.equal(late.at(-1), Number(((51 - 20) / 51).toFixed(4)));
});
