import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP, type DecodedPacket } from '../../../src/domain/packet.js';
import { createFlowFeatures, FLOW_SCHEMA, flowFeatureOptionsSchema, schemaHash } from '../../../src/features/index.js';
import { Feed, packet, T0, type PacketFields } from '../support/packets.js';

interface Row {
  moment: string;
  values: number[];
}

function run(options: object = {}): { feed: Feed; rows: Row[] } {
  const rows: Row[] = [];
  const features = createFlowFeatures(flowFeatureOptionsSchema.parse(options), {
    emit: (v) => rows.push({ moment: v.moment, values: [...v.values] }),
  });
  return { feed: new Feed(features), rows };
}

function column(row: Row | undefined, name: string): number {
  const index = FLOW_SCHEMA.features.findIndex((f) => f.name === name);
  assert.ok(index >= 0, name);
  return row!.values[index]!;
}

function assertColumns(row: Row | undefined, expected: Record<string, number>): void {
  for (const [name, value] of Object.entries(expected)) {
    const actual = column(row, name);
    assert.ok(Math.abs(actual - value) <= 1e-5 * Math.max(1, Math.abs(value)), `${name}: ${actual}, not ${value}`);
  }
}

const back = (fields: PacketFields): PacketFields => ({
  src: '10.0.0.2',
  dst: '10.0.0.1',
  sport: 80,
  dport: 40_000,
  ...fields,
});

/** A web request: handshake, 100 bytes up, 500 and 300 down, silence of 6 s, close. */
function request(offset = 0, ends: PacketFields = {}, backEnds: PacketFields = back({})): DecodedPacket[] {
  const fwd = (at: number, flags: number, payload = 0): DecodedPacket =>
    packet({ ...ends, at: offset + at, flags, payload, window: 1000 });
  const bwd = (at: number, flags: number, payload = 0): DecodedPacket =>
    packet({ ...backEnds, at: offset + at, flags, payload, window: 2000 });
  return [
    fwd(0, TCP.SYN),
    bwd(0.1, TCP.SYN | TCP.ACK),
    fwd(0.2, TCP.ACK),
    fwd(0.2, TCP.ACK | TCP.PSH, 100),
    bwd(0.4, TCP.ACK | TCP.PSH, 500),
    bwd(0.5, TCP.ACK | TCP.PSH, 300),
    fwd(6.5, TCP.FIN | TCP.ACK),
    bwd(6.6, TCP.FIN | TCP.ACK),
  ];
}

test('the statistics of one web request are those worked out by hand', () => {
  const { feed, rows } = run({ earlyMs: 1900, earlyPackets: 100 });
  let slot = -1;
  for (const p of request()) slot = feed.push(p);
  feed.end(slot);
  const end = rows.find((r) => r.moment === 'end');
  // IP lengths: fwd 40 40 140 40, bwd 40 540 340 40.
  const bwdMean = 960 / 4;
  const squares = 40 ** 2 * 5 + 140 ** 2 + 540 ** 2 + 340 ** 2;
  assertColumns(end, {
    duration: 6.6,
    protocol: 0,
    dst_port_class: 1,
    packets_fwd: 4,
    packets_bwd: 4,
    bytes_fwd: 260,
    bytes_bwd: 960,
    payload_fwd: 100,
    payload_bwd: 800,
    payload_packets_fwd: 1,
    payload_packets_bwd: 2,
    payload_mean_fwd: 100,
    payload_mean_bwd: 400,
    header_bytes_fwd: 160,
    header_bytes_bwd: 160,
    down_up_ratio: 960 / 260,
    packets_per_sec: 8 / 6.6,
    bytes_per_sec: 1220 / 6.6,
    packet_length_fwd_min: 40,
    packet_length_fwd_max: 140,
    packet_length_fwd_mean: 65,
    packet_length_fwd_std: Math.sqrt((3 * 25 ** 2 + 75 ** 2) / 4),
    packet_length_bwd_mean: bwdMean,
    packet_length_bwd_std: Math.sqrt((2 * 200 ** 2 + 300 ** 2 + 100 ** 2) / 4),
    packet_length_all_min: 40,
    packet_length_all_max: 540,
    packet_length_all_mean: 1220 / 8,
    packet_length_all_std: Math.sqrt(squares / 8 - (1220 / 8) ** 2),
    inter_arrival_fwd_mean: 6.5 / 3,
    inter_arrival_fwd_min: 0,
    inter_arrival_fwd_max: 6.3,
    inter_arrival_bwd_mean: 6.5 / 3,
    inter_arrival_bwd_max: 6.1,
    inter_arrival_all_mean: 6.6 / 7,
    inter_arrival_all_max: 6,
    fin_count: 2,
    syn_count: 2,
    rst_count: 0,
    psh_count: 3,
    ack_count: 7,
    initial_window_fwd: 1000,
    initial_window_bwd: 2000,
    handshake_complete: 1,
    first_reply_delay: 0.1,
    replied: 1,
    active_mean: (0.5 + 0.1) / 2,
    active_max: 0.5,
    idle_mean: 6,
    idle_max: 6,
  });
});

test('every feature of an early vector of one packet is a finite number', () => {
  for (const fields of [
    { flags: TCP.SYN },
    { proto: PROTO.UDP },
    { proto: PROTO.ICMP, icmpType: 8 },
    { proto: PROTO.GRE },
  ]) {
    const { feed, rows } = run({ earlyPackets: 1 });
    feed.push(packet(fields));
    assert.equal(rows.length, 1);
    assert.ok(rows[0]!.values.every(Number.isFinite), JSON.stringify(fields));
  }
});

test('a flow gives its early vector after the set packets, or after the set time, once', () => {
  const byCount = run({ earlyPackets: 3, earlyMs: 1000 });
  for (const p of request().slice(0, 6)) byCount.feed.push(p);
  assert.equal(byCount.rows.length, 1);
  assert.equal(column(byCount.rows[0], 'packets_fwd') + column(byCount.rows[0], 'packets_bwd'), 3);
  byCount.feed.tickTo(T0 + 5e6);
  assert.equal(byCount.rows.length, 1);

  const byTime = run({ earlyPackets: 100, earlyMs: 300 });
  for (const p of request().slice(0, 4)) byTime.feed.push(p);
  assert.equal(byTime.rows.length, 0);
  byTime.feed.tickTo(T0 + 400_000);
  assert.equal(byTime.rows.length, 1);
  assert.equal(byTime.rows[0]!.moment, 'early');
});

test('a packet that comes after the due time is not in the early vector', () => {
  const { feed, rows } = run({ earlyMs: 300 });
  const packets = request();
  feed.push(packets[0]!);
  feed.flows.push(packets[6]!);
  feed.push(packets[6]!);
  assert.equal(column(rows[0], 'packets_fwd'), 1);
  assert.equal(column(rows[0], 'fin_count'), 0);
});

/** Unanswered, refused and finished connections of one source. */
function scanAndBrowse(): { rows: Row[] } {
  const { feed, rows } = run({ earlyPackets: 100, earlyMs: 1900 });
  for (let i = 0; i < 3; i++) feed.push(packet({ at: i * 0.1, sport: 1000 + i, dport: 2000 + i, flags: TCP.SYN }));
  for (let i = 0; i < 2; i++) {
    const ports = { sport: 1100 + i, dport: 3000 + i };
    feed.push(packet({ at: 1 + i * 0.1, ...ports, flags: TCP.SYN }));
    feed.push(
      packet({
        at: 1.01 + i * 0.1,
        src: '10.0.0.2',
        dst: '10.0.0.1',
        sport: ports.dport,
        dport: ports.sport,
        flags: TCP.RST | TCP.ACK,
      }),
    );
  }
  let slot = -1;
  for (const p of request(1.5, { sport: 1200 }, back({ dport: 1200 })).slice(0, 6)) slot = feed.push(p);
  feed.end(slot);
  feed.end(feed.push(packet({ at: 2.2, sport: 1300, dport: 80, flags: TCP.SYN })));
  return { rows };
}

test('history windows hold what the source, the pair and the destination did before', () => {
  const last = scanAndBrowse()
    .rows.filter((r) => r.moment === 'end')
    .at(-1);
  assertColumns(last, {
    src_short_connections: 7,
    src_short_ports: 6, // 2000-2002, 3000, 3001, 80
    src_short_hosts: 1,
    src_short_syn_unanswered: 4,
    src_short_resets: 2,
    src_long_failed_share: 6 / 7,
    src_long_short_share: 1,
    src_long_payload_fwd: 100,
    src_long_payload_bwd: 800,
    pair_connections: 7,
    pair_failed_share: 6 / 7,
    dst_connections: 7,
    dst_sources: 1,
    dst_syn_unanswered: 4,
    dst_resets: 2,
  });
});

test('a clock between connections shows as regularity near 1, a random rhythm does not', () => {
  const regularity = (gaps: number[]): number => {
    const { feed, rows } = run({ earlyPackets: 1 });
    let at = 0;
    for (const [i, gap] of gaps.entries()) feed.push(packet({ at: (at += gap), sport: 2000 + i, flags: TCP.SYN }));
    return column(rows.at(-1), 'pair_regularity');
  };
  assert.ok(regularity([0, 10, 10, 10, 10, 10]) > 0.99);
  assert.ok(regularity([0, 1, 30, 2, 25, 4]) < 0.6);
  assert.equal(regularity([0, 10, 10]), 0, 'two gaps say nothing');
});

test('windows slide: what is two windows old no longer counts', () => {
  const { feed, rows } = run({ earlyPackets: 1, shortWindowSecs: 10 });
  for (let i = 0; i < 10; i++) feed.push(packet({ at: i * 0.1, sport: 1000 + i, dport: 100 + i, flags: TCP.SYN }));
  feed.push(packet({ at: 15, sport: 5000, flags: TCP.SYN }));
  assertColumns(rows.at(-1), { src_short_connections: 1 + 10 * 0.5 });
  feed.push(packet({ at: 40, sport: 5001, flags: TCP.SYN }));
  assertColumns(rows.at(-1), { src_short_connections: 1, src_short_ports: 1, src_long_connections: 12 });
});

test('nothing that identifies the generator is in the vector: addresses, ports, TTL, ids and dates can change', () => {
  const plain = run();
  const moved = run();
  const other = { src: '172.20.9.77', dst: '198.51.100.4', sport: 51_234, dport: 443, ttl: 117, ipId: 7 };
  const otherBack = { src: '198.51.100.4', dst: '172.20.9.77', sport: 443, dport: 51_234, ttl: 44, ipId: 9 };
  for (const [target, packets] of [
    [plain, request()],
    [moved, request(86_400 * 77, other, otherBack)],
  ] as const) {
    let slot = -1;
    for (const p of packets) slot = target.feed.push(p);
    target.feed.end(slot);
  }
  assert.equal(plain.rows.length, 2);
  for (const [i, row] of plain.rows.entries()) {
    for (const [c, value] of row.values.entries()) {
      const name = FLOW_SCHEMA.features[c]!.name;
      assert.ok(Math.abs(value - moved.rows[i]!.values[c]!) <= 1e-4 * Math.max(1, value), name);
    }
  }
});

test('memory for history is bounded and evictions are counted', () => {
  const features = createFlowFeatures(flowFeatureOptionsSchema.parse({ maxHistoryKeys: 64 }), {
    emit: () => undefined,
  });
  const feed = new Feed(features);
  for (let i = 0; i < 2000; i++) {
    feed.end(feed.push(packet({ at: i / 1000, src: `10.1.${i >> 8}.${i & 255}`, flags: TCP.SYN })));
  }
  assert.ok(features.stats()['history_evictions']! > 3 * (2000 - 200));
});

test('the schema hash changes with name, kind, order and vocabulary, not with words', () => {
  const base = schemaHash(FLOW_SCHEMA);
  const with0 = (change: object) => ({
    ...FLOW_SCHEMA,
    features: FLOW_SCHEMA.features.map((f, i) => (i === 1 ? { ...f, ...change } : f)),
  });
  assert.equal(schemaHash(with0({ description: 'other words', unit: 'm' })), base);
  assert.notEqual(schemaHash(with0({ name: 'x' })), base);
  assert.notEqual(schemaHash(with0({ kind: 'flag' })), base);
  assert.notEqual(schemaHash(with0({ vocabulary: ['tcp'] })), base);
  assert.notEqual(schemaHash({ ...FLOW_SCHEMA, features: [...FLOW_SCHEMA.features].reverse() }), base);
  assert.match(base, /^[0-9a-f]{64}$/);
});

test('feature names are unique and every feature is described', () => {
  assert.equal(new Set(FLOW_SCHEMA.features.map((f) => f.name)).size, FLOW_SCHEMA.features.length);
  for (const f of FLOW_SCHEMA.features) {
    assert.match(f.description, /\.$/, f.name);
    assert.equal(f.kind === 'category', f.vocabulary !== undefined, f.name);
  }
});
