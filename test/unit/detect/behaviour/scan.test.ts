import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { packet, T0 } from '../../support/packets.js';
import { back, connection, handshake, Replay } from '../../support/replay.js';

const RST = TCP.RST | TCP.ACK;
const TECHNIQUES: [string, number][] = [
  ['SYN', TCP.SYN],
  ['NULL', 0],
  ['FIN', TCP.FIN],
  ['Xmas', TCP.FIN | TCP.PSH | TCP.URG],
  ['ACK', TCP.ACK],
  ['Maimon', TCP.FIN | TCP.ACK],
];

/** Probes of `ports` ports, `perSec` a second; refused by RST or left without an answer. */
function scan(r: Replay, f: { flags: number; ports: number; perSec: number; refused: boolean; ipv6?: boolean }): void {
  const ends = f.ipv6 ? { src: '2001:db8::66', dst: '2001:db8::2' } : { src: '10.0.0.66' };
  for (let i = 0; i < f.ports; i++) {
    const probe = { ...ends, at: i / f.perSec, sport: 50_000, dport: 1 + i * 7, flags: f.flags };
    r.push(packet(probe));
    if (f.refused)
      r.push(packet({ ...back({ ...probe, dst: probe.dst ?? '10.0.0.2' }), flags: RST, at: probe.at + 0.0005 }));
  }
  r.wait(1);
}

for (const [name, flags] of TECHNIQUES) {
  test(`a ${name} scan is found, answered or not, and named`, () => {
    for (const refused of [true, false]) {
      const r = new Replay();
      scan(r, { flags, ports: 30, perSec: 100, refused });
      assert.deepEqual(r.labels(), ['port_scan'], String(refused));
      const [d] = r.detections;
      assert.equal(d!.offender, '10.0.0.66');
      assert.deepEqual(d!.metadata?.['technique'], [name]);
      assert.equal(d!.spoofable, true);
      assert.ok(d!.detectedUs - T0 < 0.1e6 + (refused ? 0 : 0.6e6), 'within a second of the tenth probe');
    }
  });
}

test('a UDP scan is found, and an answered service is no failure', () => {
  const r = new Replay();
  for (let i = 0; i < 30; i++) r.push(packet({ at: i / 50, proto: PROTO.UDP, sport: 40_000, dport: 100 + i }));
  r.wait(1);
  assert.deepEqual(r.labels(), ['port_scan']);
  const quiet = new Replay();
  for (let i = 0; i < 30; i++) {
    const f = { at: i / 50, proto: PROTO.UDP, sport: 40_000, dport: 100 + i };
    quiet.push(packet(f), packet({ ...back(f), at: f.at + 0.01 }));
  }
  quiet.wait(1);
  assert.deepEqual(quiet.labels(), []);
});

test('a UDP scan from the port of a service that amplifies says so: it may be an answer nobody asked for', () => {
  const answers = (sport: number): unknown => {
    const r = new Replay();
    for (let i = 0; i < 30; i++) r.push(packet({ at: i / 50, proto: PROTO.UDP, sport, dport: 10_000 + i }));
    r.wait(1);
    assert.deepEqual(r.labels(), ['port_scan']);
    return r.detections[0]!.metadata?.['unasked_answers'];
  };
  assert.deepEqual(answers(11_211), ['memcached']);
  assert.equal(answers(40_000), undefined);
});

test('a connect scan is found by connections without a byte, and proves its address', () => {
  const r = new Replay();
  for (let i = 0; i < 30; i++) {
    const f = { at: i / 20, src: '10.0.0.66', sport: 41_000 + i, dport: 1 + i };
    r.push(...handshake(f), packet({ ...f, at: f.at + 0.003, flags: RST }));
  }
  assert.deepEqual(r.labels(), ['port_scan']);
  assert.equal(r.detections[0]!.spoofable, false);
});

test('a scan over IPv6 is found', () => {
  const r = new Replay();
  scan(r, { flags: TCP.SYN, ports: 30, perSec: 100, refused: true, ipv6: true });
  assert.deepEqual(r.labels(), ['port_scan']);
  assert.equal(r.detections[0]!.offender, '2001:db8::66');
});

test('one probe every 15 seconds (nmap -T1) is found, as a slow scan', () => {
  const r = new Replay();
  scan(r, { flags: TCP.SYN, ports: 40, perSec: 1 / 15, refused: true });
  assert.deepEqual(r.labels(), ['port_scan']);
  assert.equal(r.detections[0]!.signatureId, 1002);
});

test('a host sweep is found, by SYN and by ping', () => {
  for (const probe of [
    { flags: TCP.SYN, dport: 445 },
    { proto: PROTO.ICMP, icmpType: 8 },
  ]) {
    const r = new Replay();
    for (let i = 1; i < 60; i++) r.push(packet({ ...probe, at: i / 50, src: '10.0.0.66', dst: `10.0.7.${i}` }));
    r.wait(1);
    assert.deepEqual(r.labels(), ['host_sweep']);
    assert.ok(r.detections[0]!.detectedUs - T0 < 1.1e6);
  }
});

test('nine failed ports are not ten', () => {
  const r = new Replay();
  scan(r, { flags: TCP.SYN, ports: 9, perSec: 100, refused: true });
  assert.deepEqual(r.labels(), []);
  const more = new Replay();
  scan(more, { flags: TCP.SYN, ports: 10, perSec: 100, refused: true });
  assert.deepEqual(more.labels(), ['port_scan']);
});

test('packets shown twice change nothing', () => {
  for (const ports of [9, 10]) {
    const once = new Replay();
    const twice = new Replay({}, true);
    for (const r of [once, twice]) scan(r, { flags: TCP.SYN, ports, perSec: 100, refused: true });
    assert.deepEqual(twice.labels(), once.labels());
    assert.equal(twice.detections.length, once.detections.length);
  }
});

test('repeated tries of one dead service are no scan', () => {
  const r = new Replay();
  for (let i = 0; i < 200; i++) {
    const f = { at: i, sport: 30_000 + i, dport: 8443, flags: TCP.SYN };
    r.push(packet(f), packet({ ...back(f), flags: RST }));
  }
  assert.deepEqual(r.labels(), []);
});

test('health checks of a load balancer, a browser and mid-stream traffic stay quiet', () => {
  const r = new Replay();
  for (let i = 0; i < 300; i++) {
    const f = { at: i / 10, src: '10.0.0.5', dst: `10.0.9.${1 + (i % 8)}`, sport: 20_000 + i, dport: 8080 };
    r.push(...handshake(f), packet({ ...f, at: f.at + 0.01, flags: RST }));
  }
  for (let i = 0; i < 100; i++) {
    const f = { at: 30 + i / 20, src: '10.0.0.6', dst: `198.51.${i}.7`, sport: 21_000 + i, dport: 443 };
    r.push(...connection(f, [500, 3000]));
  }
  for (let i = 0; i < 50; i++)
    r.push(packet({ at: 40 + i / 10, src: '203.0.113.5', sport: 443, dport: 50_000 + i, flags: TCP.ACK }));
  for (let i = 0; i < 50; i++)
    r.push(packet({ at: 50 + i / 10, src: '203.0.113.6', sport: 53, dport: 50_000 + i, proto: PROTO.UDP }));
  r.wait(2);
  assert.deepEqual(r.labels(), []);
});

test('backscatter of a flood is no scan: SYN-ACK and RST are answers', () => {
  const r = new Replay();
  for (let i = 0; i < 60; i++)
    r.push(
      packet({
        at: i / 50,
        src: '203.0.113.9',
        sport: 80,
        dst: `10.0.7.${i}`,
        dport: 1000 + i,
        flags: TCP.SYN | TCP.ACK,
      }),
    );
  for (let i = 0; i < 60; i++)
    r.push(packet({ at: 2 + i / 50, src: '203.0.113.9', sport: 80, dst: `10.0.8.${i}`, dport: 1000 + i, flags: RST }));
  r.wait(1);
  assert.deepEqual(
    r.labels().filter((l) => l !== 'syn_flood'),
    [],
  );
});

test('it is reported once per re-alert interval, with newer evidence', () => {
  const r = new Replay({ realertSecs: 5 });
  scan(r, { flags: TCP.SYN, ports: 1000, perSec: 100, refused: true });
  const fast = r.detections.filter((d) => d.signatureId === 1001);
  assert.ok(fast.length >= 2 && fast.length <= 3, String(fast.length));
  const ports = fast.map((d) => Number(d.evidence.find((e) => e.name === 'distinct_failed_ports')!.value));
  assert.ok(ports[1]! > ports[0]!);
});

test('sources of one network that each stay below the threshold add up', () => {
  const r = new Replay();
  for (let i = 0; i < 60; i++) {
    const f = { at: i * 20, src: `192.0.2.${1 + (i % 12)}`, sport: 40_000 + i, dport: 100 + i, flags: TCP.SYN };
    r.push(packet(f), packet({ ...back(f), flags: RST }));
  }
  assert.deepEqual(r.labels(), ['network_scan']);
  assert.equal(r.detections[0]!.offender, '192.0.2.0/24');
});

test('a scan inside a flood of random sources is still found, and memory stays within the table', () => {
  const r = new Replay({ maxSources: 1024, flood: { enabled: false } });
  let next = 0;
  for (let i = 0; i < 20_000; i++) {
    const at = i / 5000;
    next = (Math.imul(next, 1_664_525) + 1_013_904_223) >>> 0;
    const src = `${11 + (next >>> 27)}.${(next >>> 19) & 255}.${(next >>> 11) & 255}.${(next >>> 3) & 255}`;
    r.push(packet({ at, src, sport: 1024 + (i % 60_000), dport: 80, flags: TCP.SYN }));
    if (i % 500 === 0) r.push(packet({ at, src: '10.0.0.66', sport: 50_000, dport: 100 + i / 500, flags: TCP.SYN }));
  }
  r.wait(1);
  assert.deepEqual(r.labels(), ['port_scan']);
  assert.equal(r.detections[0]!.offender, '10.0.0.66');
  assert.ok(r.observer.stats()['behaviour_sources_evicted']! > 10_000);
});

test('a detector that is switched off says nothing', () => {
  const r = new Replay({ portScan: { enabled: false } });
  scan(r, { flags: TCP.SYN, ports: 100, perSec: 100, refused: true });
  assert.deepEqual(r.labels(), []);
});
