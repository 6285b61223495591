import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../src/domain/packet.js';
import {
  createKddFeatures,
  KDD_FLAGS,
  KDD_SCHEMA,
  KDD_SERVICES,
  kddFeatureOptionsSchema,
} from '../../../src/features/index.js';
import { Feed, packet, type PacketFields } from '../support/packets.js';
import { packetsOf, referenceTraffic, type Connection, type Mutation } from './kdd-reference.js';

interface Row {
  moment: string;
  slot: number;
  values: number[];
}

function run(options: Parameters<typeof kddFeatureOptionsSchema.parse>[0] = {}): { feed: Feed; rows: Row[] } {
  const rows: Row[] = [];
  const features = createKddFeatures(kddFeatureOptionsSchema.parse(options), {
    emit: (v, _p, _f, slot) => rows.push({ moment: v.moment, slot, values: [...v.values] }),
  });
  return { feed: new Feed(features), rows };
}

/** Early vectors never come first: every connection is judged as it ends. */
const AT_END = { earlyPackets: 1000, earlyMs: 1900 };

function column(row: Row | undefined, name: string): number {
  return row!.values[KDD_SCHEMA.features.findIndex((f) => f.name === name)]!;
}

/** Runs finished connections one after another and gives each one's end vector. */
function runConnections(connections: readonly Connection[], options: object = AT_END): Row[] {
  const { feed, rows } = run(options);
  for (const c of connections) {
    let slot = -1;
    for (const p of packetsOf(c)) slot = feed.push(p);
    feed.end(slot);
  }
  return rows.filter((r) => r.moment === 'end');
}

function close(actual: number[], expected: number[]): boolean {
  return actual.every((v, i) => Math.abs(v - expected[i]!) < 1e-5);
}

/** Connections to three hosts over a few seconds with all states, seeded. */
function mixedTraffic(): Connection[] {
  let seed = 7;
  const random = (n: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % n;
  };
  const flags = ['S0', 'SF', 'SF', 'REJ', 'RSTO', 'UDP'] as const;
  return Array.from({ length: 400 }, (_, i) => ({
    at: i * 0.0503 + random(10) / 1000,
    src: `10.0.1.${1 + random(3)}`,
    dst: `10.0.2.${1 + random(4)}`,
    sport: 30_000 + random(40),
    dport: [80, 443, 22, 60_001, 60_002][random(5)]!,
    flag: flags[random(flags.length)]!,
  })).filter(
    (c, i, all) =>
      !all
        .slice(0, i)
        .some((d) => packetsOf(d)[0]!.srcPort === c.sport && d.src === c.src && d.dst === c.dst && d.dport === c.dport),
  );
}

test('the schema has the 28 network columns of KDD in the order of the tables', () => {
  const names =
    'duration protocol_type service flag src_bytes dst_bytes land wrong_fragment urgent count srv_count serror_rate ' +
    'srv_serror_rate rerror_rate srv_rerror_rate same_srv_rate diff_srv_rate srv_diff_host_rate dst_host_count ' +
    'dst_host_srv_count dst_host_same_srv_rate dst_host_diff_srv_rate dst_host_same_src_port_rate ' +
    'dst_host_srv_diff_host_rate dst_host_serror_rate dst_host_srv_serror_rate dst_host_rerror_rate ' +
    'dst_host_srv_rerror_rate';
  assert.equal(KDD_SCHEMA.features.map((f) => f.name).join(' '), names);
  assert.equal(new Set(KDD_SERVICES).size, 70);
  assert.ok(!KDD_SERVICES.includes(''));
});

test('four connections in two seconds give the values worked out by hand', () => {
  const a = '10.0.0.9';
  const rows = runConnections([
    { at: 0.0, src: '10.0.0.1', dst: a, sport: 1001, dport: 80, flag: 'SF' },
    { at: 0.5, src: '10.0.0.1', dst: a, sport: 1002, dport: 80, flag: 'S0' },
    { at: 1.0, src: '10.0.0.1', dst: '10.0.0.8', sport: 1003, dport: 80, flag: 'REJ' },
    { at: 2.2, src: '10.0.0.1', dst: a, sport: 1002, dport: 22, flag: 'SF' },
    { at: 2.4, src: '10.0.0.1', dst: a, sport: 1004, dport: 80, flag: 'REJ' },
  ]);
  const last = rows[4];
  // The first connection (2.4 s ago) is out of the 2 s window and still in the window of connections.
  const expected: Record<string, number> = {
    duration: 1e-6,
    src_bytes: 0,
    dst_bytes: 0,
    count: 3, // S0 :80, SF :22, REJ :80 to host a
    srv_count: 3, // S0 a:80, REJ 8:80, REJ a:80
    serror_rate: 1 / 3,
    srv_serror_rate: 1 / 3,
    rerror_rate: 1 / 3,
    srv_rerror_rate: 2 / 3,
    same_srv_rate: 2 / 3,
    diff_srv_rate: 2 / 3, // two services among three connections
    srv_diff_host_rate: 2 / 3, // two hosts among three connections
    dst_host_count: 4,
    dst_host_srv_count: 4,
    dst_host_same_srv_rate: 3 / 4,
    dst_host_diff_srv_rate: 2 / 4,
    dst_host_same_src_port_rate: 1 / 4,
    dst_host_srv_diff_host_rate: 2 / 4,
    dst_host_serror_rate: 1 / 4,
    dst_host_srv_serror_rate: 1 / 4,
    dst_host_rerror_rate: 1 / 4,
    dst_host_srv_rerror_rate: 2 / 4,
  };
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(Math.abs(column(last, name) - value) < 1e-5, `${name}: ${column(last, name)} instead of ${value}`);
  }
  const first = rows[0];
  assert.equal(column(first, 'src_bytes'), 100);
  assert.equal(column(first, 'dst_bytes'), 500);
  assert.equal(KDD_FLAGS[column(first, 'flag')], 'SF');
  assert.equal(KDD_SERVICES[column(first, 'service')], 'http');
});

test('traffic features equal a plain reference on 300 connections, and every wrong reference is caught', () => {
  const traffic = mixedTraffic();
  assert.ok(traffic.length > 280);
  const rows = runConnections(traffic).map((r) => r.values.slice(9));
  const agree = (m: Mutation): boolean => rows.every((values, i) => close(values, referenceTraffic(traffic, i, m)));
  assert.ok(agree({}));
  const mutations: Mutation[] = [
    { windowSecs: 2.5 },
    { windowSecs: 1.5 },
    { hostWindow: 100 },
    { hostWindow: 256 },
    { excludeSelf: true },
    { diffByConnections: true },
    { hostServiceOnlySameHost: true },
    { resetsAreNoErrors: true },
    { sameServiceByName: true },
  ];
  for (const m of mutations) assert.ok(!agree(m), `not caught: ${JSON.stringify(m)}`);
});

test('the time window holds at most 511 connections and counts what it pushed out', () => {
  const flood: Connection[] = Array.from({ length: 600 }, (_, i) => ({
    at: i / 1000,
    src: '10.0.0.1',
    dst: '10.0.0.2',
    sport: 1000 + i,
    dport: 80,
    flag: 'S0',
  }));
  const last = runConnections(flood).at(-1);
  assert.equal(column(last, 'count'), 511);
  assert.equal(column(last, 'serror_rate'), 1);
  assert.equal(column(last, 'dst_host_count'), 255);
});

const S = TCP.SYN;
const SA = TCP.SYN | TCP.ACK;
const A = TCP.ACK;
const F = TCP.FIN | TCP.ACK;
const R = TCP.RST;
/** '>' from the side that sent the first packet, '<' the answer. */
const FLAG_CASES: [string, [string, number][]][] = [
  ['S0', [['>', S]]],
  [
    'S0',
    [
      ['>', S],
      ['>', S],
    ],
  ],
  [
    'S1',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
    ],
  ],
  [
    'SF',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['>', F],
      ['<', F],
      ['>', A],
    ],
  ],
  [
    'SF',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['>', F],
      ['<', F],
      ['>', R],
    ],
  ],
  [
    'REJ',
    [
      ['>', S],
      ['<', R | A],
    ],
  ],
  [
    'S2',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['>', F],
      ['<', A],
    ],
  ],
  [
    'S3',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['<', F],
      ['>', A],
    ],
  ],
  [
    'RSTO',
    [
      ['>', S],
      ['<', SA],
      ['>', R],
    ],
  ],
  [
    'RSTO',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['>', R | A],
    ],
  ],
  [
    'RSTR',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['<', R],
    ],
  ],
  [
    'RSTR',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['>', F],
      ['<', R],
    ],
  ],
  [
    'RSTR',
    [
      ['>', S],
      ['<', SA],
      ['>', A],
      ['<', R],
      ['>', R],
    ],
  ],
  [
    'RSTOS0',
    [
      ['>', S],
      ['>', R],
    ],
  ],
  [
    'SH',
    [
      ['>', S],
      ['>', F],
    ],
  ],
  [
    'RSTRH',
    [
      ['>', SA],
      ['>', R],
    ],
  ],
  [
    'SHR',
    [
      ['>', SA],
      ['>', F],
    ],
  ],
  [
    'OTH',
    [
      ['>', A],
      ['<', A],
    ],
  ],
  [
    'OTH',
    [
      ['>', F],
      ['<', R],
    ],
  ],
];

test('the flag is the connection state that Bro gives', () => {
  for (const [flag, segments] of FLAG_CASES) {
    const { feed, rows } = run();
    let slot = -1;
    for (const [i, [way, flags]] of segments.entries()) {
      const ends: PacketFields = way === '>' ? {} : { src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 40_000 };
      slot = feed.push(packet({ ...ends, flags, at: i / 1000 }));
    }
    feed.end(slot);
    const shown = segments.map(([w, f]) => `${w}${f}`).join(' ');
    assert.equal(KDD_FLAGS[column(rows.at(-1), 'flag')], flag, shown);
  }
});

test('a connection first seen by its SYN-ACK counts bytes and service from the real originator', () => {
  const { feed, rows } = run();
  feed.push(packet({ flags: SA, src: '10.0.0.2', dst: '10.0.0.1', sport: 80, dport: 40_000 }));
  const slot = feed.push(packet({ flags: A, payload: 33, at: 0.1 }));
  feed.end(slot);
  assert.equal(column(rows.at(-1), 'src_bytes'), 33);
  assert.equal(column(rows.at(-1), 'dst_bytes'), 0);
  assert.equal(KDD_SERVICES[column(rows.at(-1), 'service')], 'http');
});

test('services carry the names of the KDD tables', () => {
  const cases: [string, PacketFields][] = [
    ['smtp', { dport: 25 }],
    ['X11', { dport: 6000 }],
    ['other', { dport: 8080 }],
    ['private', { dport: 49_152 }],
    ['other', { dport: 49_151 }],
    ['domain_u', { proto: PROTO.UDP, dport: 53 }],
    ['domain', { dport: 53 }],
    ['ntp_u', { proto: PROTO.UDP, dport: 123 }],
    ['eco_i', { proto: PROTO.ICMP, icmpType: 8 }],
    ['ecr_i', { proto: PROTO.ICMP, icmpType: 0 }],
    ['urh_i', { proto: PROTO.ICMP, icmpType: 3, icmpCode: 1 }],
    ['urp_i', { proto: PROTO.ICMP, icmpType: 3, icmpCode: 3 }],
    ['eco_i', { proto: PROTO.ICMPV6, icmpType: 128, src: '2001:db8::1', dst: '2001:db8::2' }],
  ];
  for (const [service, fields] of cases) {
    const { feed, rows } = run();
    feed.end(feed.push(packet({ flags: S, ...fields })));
    assert.equal(KDD_SERVICES[column(rows[0], 'service')], service, JSON.stringify(fields));
  }
});

test('land, urgent and wrong fragments are counted from the packets', () => {
  const { feed, rows } = run();
  feed.end(feed.push(packet({ flags: S | TCP.URG, src: '10.0.0.5', dst: '10.0.0.5', sport: 139, dport: 139 })));
  assert.equal(column(rows[0], 'land'), 1);
  assert.equal(column(rows[0], 'urgent'), 1);

  const udp = { proto: PROTO.UDP, sport: 5000, dport: 7000 };
  const teardrop = run();
  const first = packet({ ...udp, payload: 24, moreFragments: true, ipId: 9 });
  const second = packet({ ...udp, payload: 4, fragOffset: 24, ipId: 9 });
  teardrop.feed.push(first);
  teardrop.feed.end(teardrop.feed.push(second));
  assert.equal(column(teardrop.rows[0], 'wrong_fragment'), 1, 'the second fragment begins inside the first');

  const fine = run();
  fine.feed.push(packet({ ...udp, payload: 24, moreFragments: true, ipId: 9 }));
  fine.feed.push(packet({ ...udp, payload: 24, moreFragments: true, ipId: 9 }));
  fine.feed.end(fine.feed.push(packet({ ...udp, payload: 4, fragOffset: 32, ipId: 9 })));
  assert.equal(column(fine.rows[0], 'wrong_fragment'), 0, 'whole datagrams and frames shown twice are not wrong');
});

test('an unanswered SYN gets its early vector when the time is up and keeps it at the idle timeout', () => {
  const { feed, rows } = run({ earlyMs: 400 });
  const slot = feed.push(packet({ flags: S }));
  feed.tickTo(feed.nowUs + 390_000);
  assert.equal(rows.length, 0);
  feed.tickTo(feed.nowUs + 200_000);
  assert.equal(rows.length, 1);
  assert.equal(column(rows[0], 'serror_rate'), 1);
  feed.tickTo(feed.nowUs + 60_000_000);
  feed.end(slot, 'idle');
  assert.equal(rows[1]!.moment, 'end');
  assert.deepEqual(rows[1]!.values, rows[0]!.values);
});

test('protocols outside KDD give no vector and are counted', () => {
  const rows: unknown[] = [];
  const features = createKddFeatures(kddFeatureOptionsSchema.parse({}), { emit: () => rows.push(1) });
  const feed = new Feed(features);
  feed.end(feed.push(packet({ proto: PROTO.GRE })));
  assert.equal(rows.length, 0);
  assert.equal(features.stats()['other_protocols'], 1);
});
