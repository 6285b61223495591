import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { packet, type PacketFields } from '../../support/packets.js';
import { connection, Replay } from '../../support/replay.js';

/** The i-th of addresses all over the world, none of them inside. */
const forged = (i: number): string => `${20 + ((i * 7) % 60)}.${(i * 13) & 255}.${(i >> 4) & 255}.${1 + (i % 250)}`;
const forged6 = (i: number): string => `2001:db8:${i.toString(16)}::${i.toString(16)}`;

interface Shape {
  perSec: number;
  secs?: number;
  src: (i: number) => string;
  dst: (i: number) => string;
  rest?: (i: number) => PacketFields;
}

const SYN = (i: number): PacketFields => ({ sport: 1024 + i, dport: 1024 + i, flags: TCP.SYN });
const host = (i: number): string => `10.77.128.${1 + (i % 250)}`;

function flood(shape: Shape, r = new Replay()): Replay {
  const { perSec, secs = 3, src, dst, rest = SYN } = shape;
  for (let i = 0; i < perSec * secs; i++) r.push(packet({ at: i / perSec, src: src(i), dst: dst(i), ...rest(i) }));
  r.wait(2);
  return r;
}

const network = (r: Replay): string[] => r.detections.map((d) => `${d.title} ${d.metadata?.['network']?.join()}`);

test('forged SYNs spread over a /24 or /64 are one flood of the network, told within 1.6 s, and block nobody', () => {
  const four = flood({ perSec: 200, src: forged, dst: host });
  assert.deepEqual(network(four), ['SYN flood of a network 10.77.128.0/24']);
  const [d] = four.detections;
  assert.equal(d!.noBlock, true);
  assert.equal(d!.spoofable, true);
  assert.equal(d!.attack!.techniqueId, 'T1498.001');
  assert.match(
    d!.evidence[0]!.text!,
    /unanswered SYNs in a second to \d+ hosts of 10\.77\.128\.0\/24, from \d+ sources/,
  );
  assert.ok(d!.detectedUs - d!.packetUs < 1.6e6);
  const six = flood({ perSec: 200, src: forged6, dst: (i) => `fd77:0:0:2::${(1 + (i % 200)).toString(16)}` });
  assert.deepEqual(network(six), ['SYN flood of a network fd77:0:0:2::/64']);
});

test('a flood that becomes one early in a second has the sources of the second before', () => {
  const rising = (src: (i: number) => string, first = 75): string[] => {
    const r = new Replay();
    const syn = (i: number, at: number): void => r.push(packet({ at, src: src(i), dst: host(i), ...SYN(i) }));
    for (let i = 0; i < first; i++) syn(i, i / 75);
    for (let i = 75; i < 105; i++) syn(i, 1 + (i - 75) / 100);
    r.wait(2);
    return network(r);
  };
  assert.deepEqual(rising(forged), ['SYN flood of a network 10.77.128.0/24']);
  assert.deepEqual(
    rising((i) => forged(i % 40)),
    [],
    'forty sources',
  );
  assert.deepEqual(rising(forged, 40), [], 'a lower rate');
});

test('forged SYNs to hosts all over the world are one flood between outside addresses', () => {
  const r = flood({ perSec: 200, src: forged, dst: (i) => `198.18.${i & 255}.${(i * 7) & 255}` });
  assert.deepEqual(network(r), ['SYN flood between outside addresses 0.0.0.0/0']);
});

test('forged SYNs to ever other ports of one address are a flood of that address and no scan', () => {
  const r = flood({ perSec: 200, src: forged, dst: () => '10.0.0.2' });
  assert.deepEqual(
    r.detections.map((d) => `${d.title} ${d.victim} ${d.noBlock}`),
    ['SYN flood 10.0.0.2 true'],
  );
});

test('UDP, ICMP and reflected packets spread over a /24 are floods of the network', () => {
  const udp = (i: number): PacketFields => ({ proto: PROTO.UDP, sport: 1024 + i, dport: 7, payload: 20 });
  const icmp = (): PacketFields => ({ proto: PROTO.ICMP, icmpType: 8, icmpId: 3 });
  const ntp = (i: number): PacketFields => ({ proto: PROTO.UDP, sport: 123, dport: 9000 + (i % 50), payload: 440 });
  const titles = (perSec: number, rest: Shape['rest'] & object): string[] =>
    network(flood({ perSec, secs: 2, src: forged, dst: host, rest }));
  assert.deepEqual(titles(1500, udp), ['UDP flood of a network 10.77.128.0/24']);
  assert.deepEqual(titles(600, icmp), ['ICMP flood of a network 10.77.128.0/24']);
  assert.deepEqual(titles(600, ntp), ['Reflected amplification flood of a network 10.77.128.0/24']);
  assert.deepEqual([...titles(300, udp), ...titles(100, icmp), ...titles(100, ntp)], [], 'below the rates');
});

test('a flood of one address, of two, and a scan of a /24 are not told as floods of the network', () => {
  const one = flood({ perSec: 300, src: forged, dst: () => '10.0.0.2', rest: (i) => ({ ...SYN(i), dport: 80 }) });
  assert.deepEqual(network(one), ['SYN flood undefined']);
  const two = flood({
    perSec: 400,
    src: forged,
    dst: (i) => `10.0.0.${2 + (i & 1)}`,
    rest: (i) => ({ ...SYN(i), dport: 80 }),
  });
  assert.deepEqual(network(two), ['SYN flood undefined', 'SYN flood undefined']);
  const scan = flood({
    perSec: 1000,
    src: (i) => `203.0.113.${i % 8}`,
    dst: host,
    rest: (i) => ({ ...SYN(i), dport: 443 }),
  });
  assert.deepEqual(scan.labels(), ['host_sweep', 'network_scan']);
});

test('servers that fail while known users ask for them, and fewer sources than a flood has, are none', () => {
  const r = new Replay();
  const user = (i: number): string => `198.51.100.${1 + (i % 120)}`;
  for (let i = 0; i < 120; i++)
    r.push(...connection({ at: i / 60, src: user(i), dst: '10.77.128.9', sport: 3000 + i }, [200, 900]));
  for (let i = 0; i < 600; i++)
    r.push(packet({ at: 5 + i / 200, src: user(i), dst: host(i % 6), ...SYN(i), dport: 443 }));
  r.wait(2);
  assert.ok(!r.labels().includes('syn_flood'), r.labels().join());
  const strangers = flood({
    perSec: 200,
    src: (i) => `198.51.${100 + (i % 120)}.9`,
    dst: (i) => host(i % 6),
    rest: (i) => ({ ...SYN(i), dport: 443 }),
  });
  assert.ok(strangers.labels().includes('syn_flood'), 'the same of strangers');
  const few = flood({ perSec: 200, src: (i) => forged(i % 30), dst: host });
  assert.ok(!few.labels().includes('syn_flood'), few.labels().join());
  const option = flood(
    { perSec: 200, src: (i) => forged(i % 30), dst: host },
    new Replay({ flood: { networkSources: 20 } }),
  );
  assert.ok(option.labels().includes('syn_flood'), 'the option says how many');
});

test('a link between outside addresses that is in use, and inside hosts without their uplink, are no floods', () => {
  const scattered: Shape = { perSec: 100, secs: 2, src: forged, dst: (i) => `198.18.${i & 255}.${(i * 7) & 255}` };
  const busy = new Replay();
  const packets = Array.from({ length: 600 }, (_, i) => [
    ...connection({ at: i / 300, src: forged(5000 + i), dst: `192.0.2.${1 + (i % 9)}`, sport: 2000 + i }, [200, 900]),
    ...(i % 3 === 0 ? [packet({ at: i / 300, src: forged(i), dst: scattered.dst(i), ...SYN(i) })] : []),
  ]).flat();
  busy.push(...packets.sort((a, b) => a.tsUs - b.tsUs));
  busy.wait(2);
  assert.deepEqual(busy.labels(), []);
  assert.deepEqual(flood(scattered).labels(), ['syn_flood'], 'the same without the others');
  const outage = flood({ ...scattered, src: (i) => `10.5.${i % 90}.7` });
  assert.ok(!outage.labels().includes('syn_flood'), outage.labels().join());
});

test('a scan inside a flood of its network is found, by itself', () => {
  const r = new Replay();
  for (let i = 0; i < 3000; i++) {
    const isProbe = i % 50 === 25;
    const src = isProbe ? '203.0.113.9' : forged(i);
    r.push(packet({ at: i / 1000, src, dst: isProbe ? '10.77.128.5' : host(i), ...SYN(i) }));
  }
  r.wait(2);
  assert.deepEqual([...new Set(r.detections.map((d) => d.label))].sort(), ['port_scan', 'syn_flood']);
  assert.deepEqual(
    r.detections.filter((d) => d.label === 'port_scan').map((d) => d.offender),
    ['203.0.113.9'],
  );
});
