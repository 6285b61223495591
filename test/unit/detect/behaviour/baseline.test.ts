import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TCP, type DecodedPacket } from '../../../../src/domain/packet.js';
import type { Behaviour } from '../../../../src/detect/behaviour/index.js';
import { packet, T0 } from '../../support/packets.js';
import { connection, handshake, Replay } from '../../support/replay.js';

const DAY = 86_400;
const HOUR = 3600;
const RST = TCP.RST | TCP.ACK;
const learned = (r: Replay): NonNullable<Behaviour['baselines']> => (r.observer as Behaviour).baselines!;

/** Sends `mib` MiB outside in packets of 60,000 bytes. */
function upload(r: Replay, f: { at: number; mib: number; port?: number; src?: string }): void {
  const ends = {
    src: f.src ?? '10.0.0.20',
    dst: '203.0.113.5',
    sport: 1024 + ((f.at / 10) % 60_000),
    dport: f.port ?? 22,
  };
  r.push(...handshake({ ...ends, at: f.at }));
  const packets: DecodedPacket[] = [];
  for (let i = 0; i < f.mib * 17.5; i++)
    packets.push(packet({ ...ends, at: f.at + 1 + i / 100, flags: TCP.ACK, payload: 60_000 }));
  r.push(...packets, packet({ ...ends, at: f.at + 3000, flags: RST }));
}

const QUIET = { exfiltration: { minMiB: 5, windowSecs: 3600 }, beacon: { enabled: false } };

/** Fifteen days of a little traffic each hour and a backup at two; T0 is a Wednesday at 00:00 UTC. */
function weeksOfBackups(): Replay {
  const r = new Replay(QUIET);
  for (let hour = 0; hour < 15 * 24; hour++) {
    const ends = { at: hour * HOUR + 1, src: '10.0.0.20', dst: '203.0.113.80', sport: 2000 + hour, dport: 443 };
    r.push(...connection(ends, [300, 900]));
    if (hour % 24 === 2) upload(r, { at: hour * HOUR + 60, mib: 30 });
  }
  return r;
}

test('a nightly backup is told while the host is learned, blocks nobody, and is usual afterwards', () => {
  const r = weeksOfBackups();
  assert.deepEqual(r.labels(), ['exfiltration']);
  const days = r.detections.map((d) => Math.floor((d.packetUs - T0) / 86_400e6));
  assert.ok(Math.max(...days) < 8, `quiet after a week: ${days.join(' ')}`);
  assert.ok(r.detections.every((d) => d.noBlock === true));
  const before = r.detections.length;
  upload(r, { at: 15 * DAY + 2 * HOUR + 60, mib: 30 });
  assert.equal(r.detections.length, before, 'the backup of the next night');
  upload(r, { at: 15 * DAY + 13 * HOUR, mib: 30 });
  assert.equal(r.detections.length, before + 1, 'the same volume at another hour');
  const found = r.detections.at(-1)!;
  assert.equal(found.noBlock, undefined);
  assert.match(found.evidence[0]!.text!, /usual at this hour of the week: 0 MiB/);
});

test('another service that sends behind the large volume of the backup is found', () => {
  const r = weeksOfBackups();
  const before = r.detections.length;
  upload(r, { at: 15 * DAY + 2 * HOUR + 60, mib: 30 });
  upload(r, { at: 15 * DAY + 2 * HOUR + 1200, mib: 12, port: 443 });
  assert.equal(r.detections.length, before + 1);
  assert.equal(r.detections.at(-1)!.dstPort, 443);
});

/** Probes forty services, half of which refuse, each day. */
function probeAll(r: Replay, at: number, src: string, offset = 0): void {
  for (let i = 0; i < 40; i++) {
    const probe = { at: at + i / 10, src, dst: `10.0.1.${1 + (i >> 3)}`, sport: 30_000 + i, dport: 7000 + offset + i };
    r.push(packet({ ...probe, flags: TCP.SYN }));
    r.push(
      packet({ at: probe.at + 0.001, src: probe.dst, dst: src, sport: probe.dport, dport: probe.sport, flags: RST }),
    );
  }
  r.push(...connection({ at: at + 5, src, dst: '10.0.1.1', sport: 31_000, dport: 443 }, [200, 500]));
  r.wait(1);
}

function monitoringSystem(days: number, step = 1): Replay {
  const r = new Replay({ portScan: { ports: 100, slowPorts: 100 } });
  for (let day = 0; day < days; day++) probeAll(r, day * DAY * step, '10.0.0.9');
  return r;
}

test('a monitoring system that probes the same services day by day is no scanner, until it asks for others', () => {
  const r = monitoringSystem(6);
  // The thresholds above let it learn in peace; what counts now is what the detector still counts.
  const strict = new Replay({ portScan: { ports: 10 } });
  learned(strict).restore(learned(r).takeChanged(10));
  probeAll(strict, 6 * DAY, '10.0.0.9');
  assert.deepEqual(strict.labels(), []);
  probeAll(strict, 6 * DAY + 600, '10.0.0.9', 1000);
  assert.deepEqual(strict.labels(), ['port_scan'], 'new ports');
  const unlearned = new Replay({ portScan: { ports: 10 } });
  probeAll(unlearned, 6 * DAY, '10.0.0.9');
  assert.deepEqual(unlearned.labels(), ['port_scan'], 'without what was learned');
});

test('two days are not enough, and days on which the host was found scanning teach nothing', () => {
  const short = monitoringSystem(3);
  assert.ok(
    learned(short)
      .takeChanged(10)[0]!
      .peers.every((p) => p.days <= 2),
  );
  const scanner = new Replay({ portScan: { ports: 10 } });
  for (let day = 0; day < 6; day++) probeAll(scanner, day * DAY, '10.0.0.9');
  const found = new Set(scanner.detections.map((d) => Math.floor((d.packetUs - T0) / 86_400e6)));
  assert.equal(found.size, 6, 'reported on each of six days');
});

test('forged inside sources are not learned and push nobody out', () => {
  const r = new Replay({ baseline: { maxHosts: 16 }, portScan: { enabled: false } });
  r.push(...connection({ at: 0, src: '10.0.0.20', dst: '203.0.113.80', sport: 2000, dport: 443 }, [300, 900]));
  for (let i = 0; i < 5000; i++)
    r.push(
      packet({ at: 1 + i / 1000, src: `10.${1 + (i >> 8)}.${i & 255}.1`, dport: 80, sport: 1024 + i, flags: TCP.SYN }),
    );
  r.wait(2);
  assert.deepEqual(
    learned(r)
      .takeChanged(100)
      .map((b) => b.host),
    ['10.0.0.20'],
  );
});

test('what was learned survives export and restore, and can be forgotten', () => {
  const r = weeksOfBackups();
  const [baseline] = learned(r).takeChanged(10);
  assert.equal(baseline!.host, '10.0.0.20');
  const total = baseline!.volumes.find((v) => v.port === 0)!;
  // Thursday 02:00 is hour 74 of the week.
  assert.ok(total.sentBytes[74]! > 25 * 1_048_576, String(total.sentBytes[74]));
  assert.ok(total.sentBytes[80]! < 1_048_576);
  const again = new Replay(QUIET);
  learned(again).restore([structuredClone(baseline!)]);
  upload(again, { at: 15 * DAY + 2 * HOUR + 60, mib: 30 });
  assert.deepEqual(again.labels(), []);
  const forgotten = new Replay(QUIET);
  learned(forgotten).restore([structuredClone(baseline!)]);
  learned(forgotten).forget('10.0.0.20');
  upload(forgotten, { at: 15 * DAY + 2 * HOUR + 60, mib: 30 });
  assert.deepEqual(forgotten.labels(), ['exfiltration']);
});

test('many small uploads add up', () => {
  const r = new Replay(QUIET);
  for (let i = 0; i < 30; i++) {
    const ends = { at: i * 20, src: '10.0.0.20', dst: '203.0.113.5', sport: 3000 + i, dport: 443 };
    r.push(...connection(ends, [60_000, 200, 60_000, 200, 60_000, 200, 60_000, 200], {}));
  }
  r.wait(200);
  assert.deepEqual(r.labels(), ['exfiltration']);
});
