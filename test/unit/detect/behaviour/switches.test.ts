import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROTO, TCP } from '../../../../src/domain/packet.js';
import { packet } from '../../support/packets.js';
import { back, connection, dnsPayload, handshake, Replay } from '../../support/replay.js';

const RST = TCP.RST | TCP.ACK;

/** The section that switches a behaviour off, its label, and traffic that shows it. */
const CASES: readonly [section: string, label: string, show: (r: Replay) => void][] = [
  ['portScan', 'port_scan', (r) => {
    for (let i = 0; i < 30; i++) {
      const probe = { at: i / 100, src: '10.0.0.66', sport: 50_000, dport: 1 + i };
      r.push(packet({ ...probe, flags: TCP.SYN }), packet({ ...back(probe), at: probe.at + 0.001, flags: RST }));
    }
  }],
  ['arp', 'host_sweep', (r) => {
    for (let i = 1; i < 60; i++) r.arp({ at: i / 50, op: 1, senderIp: '10.0.0.66', targetIp: `10.0.0.${i}` });
  }],
  ['flood', 'icmp_flood', (r) => {
    for (let i = 0; i < 1500; i++)
      r.push(packet({ at: i / 1000, proto: PROTO.ICMP, src: '10.0.0.66', icmpType: 8, payload: 64 }));
  }],
  ['reflector', 'amplification_reflector', (r) => {
    for (let i = 0; i < 60; i++) {
      const f = { at: i / 40, proto: PROTO.UDP, src: '203.0.113.9', dst: '10.0.0.2', sport: 30_000 + i, dport: 123 };
      r.push(packet({ ...f, payload: 8 }), packet({ ...back(f), at: f.at + 0.001, payload: 4000 }));
    }
  }],
  ['bruteForce', 'ftp_brute_force', (r) => {
    for (let i = 0; i < 12; i++)
      r.push(...connection({ at: i, src: '10.0.0.66', sport: 30_000 + i, dport: 21 }, ['220 ftp\r\n', 'USER a\r\n', '331 ok\r\n', `PASS ${i}\r\n`, '530 no\r\n'], { serverFirst: true }));
  }],
  ['httpFlood', 'http_flood', (r) => {
    for (let i = 0; i < 1500; i++)
      r.push(...connection({ at: i / 500, src: '10.0.0.66', sport: 10_000 + i }, ['GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n']));
  }],
  ['slowHttp', 'slow_http', (r) => {
    for (let c = 0; c < 8; c++) {
      const f = { at: c / 10, src: '10.0.0.66', sport: 20_000 + c };
      r.push(...handshake(f), packet({ ...f, at: f.at + 0.01, flags: TCP.PSH | TCP.ACK, payload: 'GET / HTTP/1.1\r\nHost: a\r\n' }));
    }
    for (let drip = 1; drip < 8; drip++)
      for (let c = 0; c < 8; c++)
        r.push(packet({ at: drip * 2 + c / 10, src: '10.0.0.66', sport: 20_000 + c, flags: TCP.PSH | TCP.ACK, payload: 'X-a: b\r\n' }));
  }],
  ['icmpTunnel', 'icmp_tunnel', (r) => {
    for (let i = 0; i < 40; i++)
      r.push(packet({ at: i / 4, proto: PROTO.ICMP, src: '10.0.0.66', icmpType: 8, payload: `${'stamp'.repeat(6)}${'data'.repeat(20)}${i}` }));
  }],
  ['dns', 'dns_tunnel', (r) => {
    for (let i = 0; i < 60; i++)
      r.push(packet({ at: i / 4, proto: PROTO.UDP, src: '10.0.0.66', sport: 5353 + i, dport: 53, payload: dnsPayload(`${(i * 7919).toString(16).padStart(40, 'a')}.tunnel.example`) }));
  }],
  ['beacon', 'beacon', (r) => {
    for (let i = 0; i < 20; i++)
      r.push(...connection({ at: i * 10, src: '10.0.0.66', dst: '203.0.113.9', sport: 30_000 + i, dport: 443 }, [100, 200]));
  }],
  ['lateral', 'lateral_movement', (r) => {
    for (let i = 0; i < 15; i++)
      r.push(...connection({ at: i * 9 + (i % 4), src: '10.0.0.66', dst: `10.0.5.${i + 1}`, sport: 30_000 + i, dport: 445 }, [5000, 5000]));
  }],
  ['exfiltration', 'exfiltration', (r) => {
    const f = { at: 0, src: '10.0.0.66', dst: '203.0.113.9', sport: 30_000, dport: 443 };
    r.push(...handshake(f));
    for (let i = 0; i < 4000; i++) r.push(packet({ ...f, at: 1 + i / 1000, flags: TCP.ACK, payload: 60_000 }));
  }],
  ['rogueDhcp', 'rogue_dhcp', (r) => {
    const payload = new Uint8Array(260);
    payload[0] = 2;
    payload.set([53, 1, 2, 54, 4, 10, 0, 0, 66, 255], 240);
    r.push(packet({ at: 1, proto: PROTO.UDP, src: '10.0.0.66', dst: '10.0.0.99', sport: 67, dport: 68, payload }));
  }],
  ['rogueRouter', 'rogue_router', (r) => {
    r.push(packet({ at: 1, proto: PROTO.ICMPV6, src: 'fe80::66', dst: 'ff02::1', ttl: 255, icmpType: 134, payload: 8 }));
  }],
]; // prettier-ignore

/** A listed server and router, so that the first answer of another is rogue. */
const ALWAYS = { rogueDhcp: { servers: ['10.0.0.1'] }, rogueRouter: { routers: ['fe80::1'] } };

for (const [section, label, show] of CASES) {
  test(`${section} can be switched off by itself`, () => {
    const on = new Replay(ALWAYS);
    show(on);
    on.wait(2);
    assert.ok(on.labels().includes(label), `on: ${on.labels().join(' ')}`);
    const before = ALWAYS[section as keyof typeof ALWAYS] ?? {};
    const off = new Replay({ ...ALWAYS, [section]: { ...before, enabled: false } });
    show(off);
    off.wait(2);
    assert.deepEqual(off.labels(), on.labels().filter((l) => l !== label), 'the others are as before'); // prettier-ignore
  });
}
