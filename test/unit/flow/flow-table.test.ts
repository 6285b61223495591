import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BWD, FWD, TCP_STATE, type FlowRecord } from '../../../src/domain/flow.js';
import { DECODE, PROTO, TCP } from '../../../src/domain/packet.js';
import { createFlowTable, REPEATED, toFlowRecord, type FlowInput, type FlowTable } from '../../../src/flow/index.js';
import { packet, reply, type PacketFields } from './packets.js';

const T0 = 1e15;
const SEC = 1e6;

function setUp(options: FlowInput = {}): { table: FlowTable; ended: FlowRecord[]; push(f: PacketFields): number } {
  const ended: FlowRecord[] = [];
  const table = createFlowTable(options, {
    onEnd: (c, slot, reason) => ended.push(toFlowRecord(c, slot, reason)),
    hashSeed: 1,
  });
  return { table, ended, push: (f) => table.push(packet(f)) };
}

/** A client that opens a connection, step by step. */
const SYN = { flags: TCP.SYN, seq: 100 };
const SYN_ACK = { ...reply({}), flags: TCP.SYN | TCP.ACK, seq: 500, ack: 101 };
const ACK = { flags: TCP.ACK, seq: 101, ack: 501 };

describe('direction', () => {
  it('is forward for the sender of the first packet and backward for the answers', () => {
    const { table, push } = setUp();
    const slot = push(SYN);
    assert.deepEqual([table.direction, table.isNew], [FWD, true]);
    assert.equal(push({ ...SYN_ACK, payload: 7 }), slot);
    assert.deepEqual([table.direction, table.isNew], [BWD, false]);
    assert.deepEqual([table.packetsFwd[slot], table.packetsBwd[slot], table.payloadBwd[slot]], [1, 1, 7]);
    assert.deepEqual([table.bytesFwd[slot], table.bytesBwd[slot]], [40, 47]);
  });

  it('makes the sender of a SYN+ACK the destination when its SYN was not seen', () => {
    const { table, push } = setUp();
    const slot = push(SYN_ACK);
    assert.deepEqual([table.direction, table.srcPort[slot], table.dstPort[slot]], [BWD, 40000, 80]);
    assert.equal(table.srcAddr[4 * slot + 3], 0x0a000001);
    push(ACK);
    assert.deepEqual([table.direction, table.tcpState[slot]], [FWD, TCP_STATE.ESTABLISHED]);
  });

  it('is told apart by ports when both ends have the same address', () => {
    const { table, push } = setUp();
    const loop = { src: '127.0.0.1', dst: '127.0.0.1', srcPort: 50000, dstPort: 80 };
    const slot = push(loop);
    assert.equal(push(reply(loop)), slot);
    assert.equal(table.direction, BWD);
  });

  it('pairs ICMP queries with their replies, and keeps one-way messages of two hosts apart', () => {
    const { table, push } = setUp();
    const echo = { proto: PROTO.ICMP, icmpType: 8, srcPort: 0, dstPort: 0 };
    const slot = push(echo);
    assert.equal(push({ ...reply(echo), icmpType: 0 }), slot);
    assert.equal(table.direction, BWD);
    const unreachable = { proto: PROTO.ICMP, icmpType: 3, icmpCode: 1 };
    assert.notEqual(push(unreachable), push({ ...reply(unreachable) }));
  });

  it('pairs IPv6 packets of both directions', () => {
    const { table, push } = setUp();
    const v6 = { src: '2001:db8::1', dst: '2001:db8::2' };
    const slot = push(v6);
    assert.equal(push(reply(v6)), slot);
    assert.equal(table.direction, BWD);
    assert.notEqual(push({ ...v6, src: '2001:db8::3' }), slot);
  });
});

describe('key', () => {
  const base = { srcPort: 1000, dstPort: 2000 };
  for (const [name, other] of [
    ['source port', { ...base, srcPort: 1001 }],
    ['destination port', { ...base, dstPort: 2001 }],
    ['protocol', { ...base, proto: PROTO.UDP }],
    ['source', { ...base, src: '10.0.0.9' }],
    ['destination', { ...base, dst: '10.0.0.9' }],
    ['which port is whose', { ...base, srcPort: 2000, dstPort: 1000 }],
  ] as const) {
    it(`keeps flows apart that differ in ${name}`, () => {
      const { push } = setUp();
      assert.notEqual(push(base), push(other));
    });
  }

  it('tells VLANs apart only when asked to', () => {
    const apart = setUp({ vlanInKey: true });
    assert.notEqual(apart.push({ vlan: 1 }), apart.push({ vlan: 2 }));
    const together = setUp();
    assert.equal(together.push({ vlan: 1 }), together.push({ vlan: 2 }));
  });

  it('gives no flow to packets that are no IP, broken, or lone fragments', () => {
    const { table } = setUp();
    const arp = packet({});
    arp.ipVersion = 0;
    const broken = packet({});
    broken.result = DECODE.MALFORMED;
    const fragment = packet({});
    fragment.isFragment = true;
    for (const p of [arp, broken, fragment]) assert.equal(table.push(p), -1);
    assert.equal(table.stats().packets_without_flow, 3);
    assert.equal(table.size, 0);
  });
});

describe('TCP state', () => {
  const steps = (...packets: PacketFields[]): number => {
    const { table, push } = setUp();
    let slot = -1;
    for (const p of packets) slot = push(p);
    return table.tcpState[slot]!;
  };
  const FIN = { flags: TCP.FIN | TCP.ACK };

  it('goes through handshake and close', () => {
    assert.equal(steps(SYN), TCP_STATE.SYN_SENT);
    assert.equal(steps(SYN, SYN_ACK), TCP_STATE.SYN_RECEIVED);
    assert.equal(steps(SYN, SYN_ACK, ACK), TCP_STATE.ESTABLISHED);
    assert.equal(steps(SYN, SYN_ACK, ACK, FIN), TCP_STATE.CLOSING);
    assert.equal(steps(SYN, SYN_ACK, ACK, FIN, { ...reply({}), ...FIN }), TCP_STATE.CLOSED);
    assert.equal(steps(SYN, { ...reply({}), flags: TCP.RST | TCP.ACK }), TCP_STATE.RESET);
    assert.equal(steps({ payload: 10 }), TCP_STATE.MIDSTREAM);
  });

  it('keeps which packet completed the handshake, and takes neither an end nor a reset for one', () => {
    const handshake = (...packets: PacketFields[]): number => {
      const { table, push } = setUp();
      return table.handshakePackets[packets.map((p) => push(p)).at(-1)!]!;
    };
    const FORGED = [
      { ...ACK, flags: TCP.RST, ack: 0 },
      { ...ACK, flags: TCP.RST | TCP.ACK, ack: 7 },
      { ...ACK, ...FIN, ack: 7 },
      { ...ACK, flags: TCP.FIN, ack: 0 },
    ];
    assert.equal(handshake(SYN, SYN_ACK), 0);
    assert.equal(handshake(SYN, SYN, SYN_ACK, ACK), 4);
    assert.equal(handshake(SYN, SYN_ACK, ACK, FIN, { ...ACK, flags: TCP.RST }), 3);
    assert.equal(handshake(SYN, SYN_ACK, { ...ACK, ...FIN }), 3);
    for (const end of FORGED) {
      assert.equal(handshake(SYN, SYN_ACK, end, { ...ACK, ack: 7, payload: 10 }), 0);
      assert.equal(handshake(SYN, end, SYN_ACK, { ...ACK, ack: 7, payload: 10 }), 0);
    }
  });

  it('does not believe an acknowledgement of a number the server never sent', () => {
    assert.equal(steps(SYN, SYN_ACK, { ...ACK, ack: 500 }), TCP_STATE.SYN_RECEIVED);
    assert.equal(steps(SYN, SYN_ACK, { ...ACK, ack: 502 }), TCP_STATE.SYN_RECEIVED);
    assert.equal(steps(SYN, { ...ACK, payload: 5 }), TCP_STATE.MIDSTREAM);
  });

  it('believes the server when it goes on to send data', () => {
    assert.equal(steps(SYN, SYN_ACK, { ...reply({}), flags: TCP.ACK, payload: 10 }), TCP_STATE.ESTABLISHED);
  });

  it('compares sequence numbers across their wrap', () => {
    const wrap = { ...SYN_ACK, seq: 0xffffffff };
    assert.equal(steps(SYN, wrap, { ...ACK, ack: 0 }), TCP_STATE.ESTABLISHED);
    assert.equal(steps(SYN, wrap, { ...ACK, ack: 0xffffffff }), TCP_STATE.SYN_RECEIVED);
  });

  it('opens another flow for a SYN after the connection was closed, with an end reason for the old one', () => {
    for (const [last, reason] of [
      [{ ...reply({}), flags: TCP.RST }, 'reset'],
      [{ ...reply({}), ...FIN }, 'closed'],
    ] as const) {
      const { table, ended, push } = setUp();
      for (const p of [SYN, SYN_ACK, ACK, FIN, last]) push(p);
      const slot = push({ ...SYN, seq: 9000 });
      assert.equal(table.isNew, true);
      assert.deepEqual(
        ended.map((r) => r.endReason),
        [reason],
      );
      assert.equal(table.packetsFwd[slot], 1);
      assert.notEqual(table.flowId[slot], ended[0]!.flowId);
    }
  });

  it('takes a repeated SYN as the same flow', () => {
    const { table, push } = setUp();
    push(SYN);
    push(SYN);
    assert.deepEqual([table.isNew, table.size], [false, 1]);
  });
});

describe('timeouts', () => {
  it('ends idle flows by protocol and state when the sweep comes by', () => {
    const { table, ended, push } = setUp();
    push({ tsUs: T0, ...SYN });
    push({ tsUs: T0, proto: PROTO.UDP, srcPort: 1 });
    for (const p of [SYN, SYN_ACK, ACK])
      push({
        ...p,
        tsUs: T0,
        src: p === SYN_ACK ? '10.0.0.2' : '10.0.0.3',
        dst: p === SYN_ACK ? '10.0.0.3' : '10.0.0.2',
      });
    table.tick(T0 + 29 * SEC);
    assert.equal(ended.length, 0);
    table.tick(T0 + 31 * SEC);
    assert.deepEqual(
      ended.map((r) => [r.proto, r.endReason]),
      [
        [PROTO.TCP, 'idle'],
        [PROTO.UDP, 'idle'],
      ],
    );
    table.tick(T0 + 599 * SEC);
    assert.equal(table.size, 1);
    table.tick(T0 + 601 * SEC);
    assert.equal(table.size, 0);
  });

  it('begins a new flow at a packet after the timeout even if the sweep did not come by', () => {
    const { table, ended, push } = setUp();
    push({ tsUs: T0, proto: PROTO.UDP });
    push({ tsUs: T0 + 31 * SEC, proto: PROTO.UDP });
    assert.equal(table.isNew, true);
    assert.deepEqual([ended.length, ended[0]!.endUs, ended[0]!.endReason], [1, T0, 'idle']);
  });

  it('keeps a closed connection for stragglers, then ends it as closed', () => {
    const { table, ended, push } = setUp({ tcpClosedTimeoutSecs: 5 });
    const fin = { flags: TCP.FIN | TCP.ACK, tsUs: T0 };
    for (const p of [
      { ...SYN, tsUs: T0 },
      { ...SYN_ACK, tsUs: T0 },
      { ...ACK, tsUs: T0 },
      fin,
      { ...reply({}), ...fin },
    ])
      push(p);
    push({ ...ACK, tsUs: T0 + SEC });
    assert.equal(table.isNew, false);
    table.tick(T0 + 7 * SEC);
    assert.deepEqual(
      ended.map((r) => [r.endReason, r.packetsFwd]),
      [['closed', 4]],
    );
  });

  it('reports a long flow in slices that keep direction and state', () => {
    const { table, ended, push } = setUp({ activeTimeoutSecs: 60 });
    for (const p of [SYN, SYN_ACK, ACK]) push({ ...p, tsUs: T0 });
    const slot = push({ ...reply({}), tsUs: T0 + 61 * SEC, payload: 5 });
    assert.deepEqual([table.isNew, table.direction, table.tcpState[slot]], [true, BWD, TCP_STATE.ESTABLISHED]);
    assert.deepEqual([table.packetsFwd[slot], table.packetsBwd[slot]], [0, 1]);
    assert.deepEqual(
      ended.map((r) => [r.endReason, r.packetsFwd]),
      [['active', 2]],
    );
    assert.ok(table.flowId[slot]! > ended[0]!.flowId);
  });

  it('does a bounded share of the table at a tick, and all of it within the sweep time', () => {
    const { table, ended, push } = setUp({ sweepSecs: 2, udpNewTimeoutSecs: 1 });
    for (let i = 0; i < 10_000; i++) push({ proto: PROTO.UDP, srcPort: i, tsUs: T0 });
    table.tick(T0);
    table.tick(T0 + 1.05 * SEC);
    const first = ended.length;
    table.tick(T0 + 1.15 * SEC);
    assert.ok(ended.length - first < 1000, `one tick ended ${ended.length - first} flows`);
    for (let t = 1.25; t < 4; t += 0.1) table.tick(T0 + t * SEC);
    assert.equal(ended.length, 10_000);
  });

  it('ends everything at the flush', () => {
    const { table, ended, push } = setUp();
    push(SYN);
    push({ ...SYN, srcPort: 2, flags: TCP.RST });
    table.flush(T0);
    assert.deepEqual(ended.map((r) => r.endReason).sort(), ['reset', 'shutdown']);
    assert.equal(table.size, 0);
  });
});

describe('bounds', () => {
  it('evicts half-open flows before answered ones when the table is full, and counts them', () => {
    const { table, ended, push } = setUp({ maxFlows: 64 });
    for (let i = 0; i < 32; i++) {
      push({ srcPort: 1000 + i, ...SYN, tsUs: T0 });
      push({ ...reply({ srcPort: 1000 + i }), flags: TCP.SYN | TCP.ACK, tsUs: T0 });
    }
    for (let i = 0; i < 5000; i++) push({ src: `172.16.${i >> 8}.${i & 255}`, ...SYN, tsUs: T0 + i });
    assert.equal(table.size, 64);
    const stats = table.stats();
    assert.deepEqual([stats.flows_created, stats.flows_evicted, ended.length], [5032, 4968, 4968]);
    const answered = ended.filter((r) => r.packetsBwd > 0).length;
    assert.ok(answered < 32, `${answered} of 32 answered flows were evicted`);
  });

  it('keeps answered flows through a flood when half of the table is theirs', () => {
    const { ended, push } = setUp({ maxFlows: 1024 });
    // Interleaved, so that every eviction sample holds both kinds.
    for (let i = 0; i < 512; i++) {
      push({ srcPort: 1000 + i, ...SYN, tsUs: T0 });
      push({ ...reply({ srcPort: 1000 + i }), flags: TCP.SYN | TCP.ACK, tsUs: T0 });
      push({ src: `172.17.${i >> 8}.${i & 255}`, ...SYN, tsUs: T0 });
    }
    for (let i = 0; i < 20_000; i++) push({ src: `172.16.${i >> 8}.${i & 255}`, ...SYN, tsUs: T0 + i });
    assert.equal(ended.filter((r) => r.packetsBwd > 0).length, 0);
  });

  it('gives ids below 2^53 that no later start repeats', () => {
    const first = setUp();
    const second = setUp();
    const slot = first.push({ tsUs: T0 });
    const later = second.push({ tsUs: T0 + SEC });
    const a = first.table.flowId[slot]!;
    const b = second.table.flowId[later]!;
    assert.ok(Number.isSafeInteger(a) && Number.isSafeInteger(b));
    assert.ok(b - a >= 2 ** 21);
    assert.ok(Number.isSafeInteger(Math.floor(4294967295) * 2 ** 21));
  });
});

describe('a packet that two interfaces show', () => {
  it('counts once, on the interface that showed it first, each way by itself', () => {
    const { table, push } = setUp();
    const slot = push({ ...SYN, interfaceId: 0 });
    assert.equal(push({ ...SYN, interfaceId: 1 }), REPEATED);
    assert.equal(push({ ...SYN_ACK, interfaceId: 1 }), slot);
    assert.equal(push({ ...SYN_ACK, interfaceId: 0 }), REPEATED);
    assert.deepEqual([table.packetsFwd[slot], table.packetsBwd[slot], table.stats()['packets_repeated']], [1, 1, 2]);
  });

  it('counts on the other interface when the first has been silent for a second', () => {
    const { table, push } = setUp();
    const slot = push({ ...SYN, interfaceId: 0, tsUs: T0 });
    push({ ...SYN_ACK, interfaceId: 0, tsUs: T0 + 1000 });
    assert.equal(push({ ...ACK, interfaceId: 1, tsUs: T0 + 1.5 * SEC }), slot);
    assert.equal(push({ ...ACK, interfaceId: 0, tsUs: T0 + 1.6 * SEC }), REPEATED);
    assert.equal(table.packetsFwd[slot], 2);
  });
});
