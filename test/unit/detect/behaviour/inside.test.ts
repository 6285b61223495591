import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { BEHAVIOURS } from '../../../../src/detect/behaviour/index.js';
import { packet } from '../../support/packets.js';
import { back, connection, handshake, Replay } from '../../support/replay.js';

test('one inside host that administers many inside hosts is lateral movement, unless it is exempt or outside', () => {
  const run = (src: string, port: number, options: object = {}): string[] => {
    const r = new Replay(options);
    for (let i = 0; i < 15; i++) {
      r.push(
        ...connection(
          { at: i * 9 + (i % 4) * 4, src, dst: `10.0.5.${i + 1}`, sport: 30_000 + i, dport: port },
          [5000, 5000],
        ),
      );
    }
    return r.labels();
  };
  assert.deepEqual(run('10.0.0.20', 445), ['lateral_movement']);
  assert.deepEqual(run('10.0.0.20', 443), []);
  assert.deepEqual(run('10.0.0.20', 445, { lateral: { exempt: ['10.0.0.16/28'] } }), []);
  assert.deepEqual(run('203.0.113.5', 445), []);
});

/** Sends `mib` MiB in packets of 60,000 bytes (as segmentation offload shows them), and receives `down` MiB. */
function transfer(r: Replay, f: { at: number; dst: string; sport: number; mib: number; down?: number }): void {
  const ends = { src: '10.0.0.20', dst: f.dst, sport: f.sport, dport: 443 };
  r.push(...handshake({ ...ends, at: f.at }));
  for (let i = 0; i < f.mib * 17.5; i++)
    r.push(packet({ ...ends, at: f.at + 1 + i / 1000, flags: TCP.ACK, payload: 60_000 }));
  for (let i = 0; i < (f.down ?? 0) * 17.5; i++)
    r.push(packet({ ...back({ ...ends, at: f.at + 1 }), flags: TCP.ACK, payload: 60_000 }));
}

test('volume is judged against the floor, the direction and what the host usually sends', () => {
  const options = { exfiltration: { minMiB: 10, windowSecs: 100 } };
  const once = new Replay(options);
  transfer(once, { at: 0, dst: '203.0.113.5', sport: 1, mib: 12 });
  assert.deepEqual(once.labels(), ['exfiltration']);
  const little = new Replay(options);
  transfer(little, { at: 0, dst: '203.0.113.5', sport: 1, mib: 8 });
  assert.deepEqual(little.labels(), []);
  const inside = new Replay(options);
  transfer(inside, { at: 0, dst: '10.0.0.30', sport: 1, mib: 30 });
  assert.deepEqual(inside.labels(), [], 'a backup to an inside host');

  const habit = new Replay({ exfiltration: { minMiB: 10, windowSecs: 100 } });
  for (let day = 0; day < 5; day++) transfer(habit, { at: day * 200, dst: '203.0.113.5', sport: 10 + day, mib: 9 });
  transfer(habit, { at: 1000, dst: '203.0.113.5', sport: 50, mib: 25 });
  assert.deepEqual(habit.labels(), [], 'less than five times the usual 9 MiB');
  transfer(habit, { at: 1200, dst: '203.0.113.5', sport: 51, mib: 80 });
  assert.deepEqual(habit.labels(), ['exfiltration']);
});

function dhcpAnswer(at: number, server: string, type = 2): ReturnType<typeof packet> {
  const payload = new Uint8Array(260);
  payload[0] = 2;
  payload.set([53, 1, type, 54, 4, ...server.split('.').map(Number), 255], 240);
  return packet({ at, proto: PROTO.UDP, src: server, dst: '10.0.0.99', sport: 67, dport: 68, payload });
}

test('a DHCP server that turns up later, or is not listed, is reported; the known one is not', () => {
  const r = new Replay({ rogueDhcp: { learnSecs: 60 } });
  r.push(dhcpAnswer(0, '10.0.0.1'), dhcpAnswer(30, '10.0.0.2'));
  r.push(dhcpAnswer(100, '10.0.0.1', 5));
  assert.deepEqual(r.labels(), []);
  r.push(dhcpAnswer(200, '10.0.0.66'));
  assert.deepEqual(r.labels(), ['rogue_dhcp']);
  assert.equal(r.detections[0]!.offender, '10.0.0.66');
  const listed = new Replay({ rogueDhcp: { servers: ['10.0.0.1'] } });
  listed.push(dhcpAnswer(0, '10.0.0.1'), dhcpAnswer(1, '10.0.0.66'));
  assert.deepEqual(listed.labels(), ['rogue_dhcp']);
});

/** An answer of a DHCPv6 server (RFC 8415): type, transaction, client and server identifiers. */
function dhcp6Answer(at: number, server: string, type = 2): ReturnType<typeof packet> {
  const duid = [0, 3, 0, 1, 2, 0, 0, 0, 0, Number.parseInt(server.split('::')[1]!, 16) & 255];
  const payload = Uint8Array.from([type, 1, 2, 3, 0, 1, 0, 4, 0, 3, 0, 1, 0, 2, 0, duid.length, ...duid]);
  return packet({ at, proto: PROTO.UDP, src: server, dst: 'fe80::99', sport: 547, dport: 546, payload });
}

test('a DHCPv6 server that turns up later, or is not listed, is reported; questions and known servers are not', () => {
  const r = new Replay({ rogueDhcp: { learnSecs: 60 } });
  r.push(dhcp6Answer(0, 'fe80::1'), dhcp6Answer(100, 'fe80::1', 7), dhcp6Answer(101, 'fe80::66', 1));
  assert.deepEqual(r.labels(), []);
  r.push(dhcp6Answer(200, 'fe80::66'));
  assert.deepEqual(r.labels(), ['rogue_dhcp']);
  assert.equal(r.detections[0]!.offender, 'fe80::66');
  assert.match(
    r.detections[0]!.evidence[0]!.text!,
    /server 00030001020000000066 .* known servers: 00030001020000000001/,
  );
  const listed = new Replay({ rogueDhcp: { duids: ['00:03:00:01:02:00:00:00:00:01'] } });
  listed.push(dhcp6Answer(0, 'fe80::1'));
  assert.deepEqual(listed.labels(), []);
  listed.push(dhcp6Answer(1, 'fe80::66'));
  assert.deepEqual(listed.labels(), ['rogue_dhcp']);
});

/** A router advertisement; the hardware address of the sender is its last byte over and over. */
function advertise(at: number, src: string, mac: number, ttl = 255): ReturnType<typeof packet> {
  const p = packet({ at, proto: PROTO.ICMPV6, src, dst: 'ff02::1', ttl, icmpType: 134, payload: 8 });
  p.data.fill(mac, p.srcMacOffset, p.srcMacOffset + 6);
  return p;
}

test('an unknown router and a known one with another network card are reported; what came over a router is not', () => {
  const r = new Replay({ rogueRouter: { learnSecs: 60 } });
  r.push(advertise(0, 'fe80::1', 1), advertise(100, 'fe80::1', 1), advertise(101, 'fe80::66', 6, 64));
  assert.deepEqual(r.labels(), []);
  r.push(advertise(200, 'fe80::66', 6));
  assert.deepEqual(r.labels(), ['rogue_router']);
  assert.equal(r.detections[0]!.offender, 'fe80::66');
  assert.equal(r.detections[0]!.noBlock, true);
  r.push(advertise(300, 'fe80::1', 6));
  assert.equal(r.detections.length, 2, 'the true address, another card');
  const flooded = new Replay({ rogueRouter: { routers: ['fe80::1'] } });
  for (let i = 0; i < 5000; i++) flooded.push(advertise(i / 1000, `fe80::${(i + 256).toString(16)}`, i & 255));
  assert.ok(flooded.detections.length <= 8, 'a flood of routers is told by its first few');
});

test('ids of behaviours are unique and every one names a technique of ATT&CK', () => {
  const entries = Object.values(BEHAVIOURS);
  assert.equal(new Set(entries.map((e) => e.id)).size, entries.length);
  for (const e of entries) assert.match(e.attack.techniqueId, /^T\d{4}(\.\d{3})?$/, e.label);
});
