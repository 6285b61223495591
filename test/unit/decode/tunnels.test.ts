import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DECODE, LINK, PROTO } from '../../../src/domain/packet.js';
import { decodeOne } from './decode-one.js';
import * as f from './frames.js';

const inner = f.ipv4({ proto: 6, src: '172.16.0.1', dst: '172.16.0.2' }, f.tcp({}, f.text('inside')));
const inner6 = f.ipv6(6, f.tcp({}, f.text('inside')));
const frame = f.ethernet(0x0800, inner);
const gre = (flags: number, type: number, ...rest: (number[] | Uint8Array)[]): Uint8Array =>
  f.ipv4({ proto: 47 }, f.bytes(f.u16(flags), f.u16(type), ...rest));
const geneve = (...parts: (number[] | Uint8Array)[]): Uint8Array =>
  f.ipv4({ proto: 17 }, f.udp(50000, 6081, f.bytes(...parts)));
/** With metadata of type 1: sixteen bytes. */
const nsh = (next: number, packet: Uint8Array): Uint8Array =>
  f.bytes([0, 6, 1, next], [0, 0, 1, 2], new Uint8Array(16), packet);
const vxlan = f.bytes([8, 0, 0, 0, 0, 0, 42, 0], frame);

const tunnels: [string, Uint8Array][] = [
  ['GRE', gre(0, 0x0800, inner)],
  ['GRE with checksum, key and sequence number', gre(0xb000, 0x0800, [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 2], inner)],
  ['GRE carrying IPv6', gre(0, 0x86dd, inner6)],
  ['GRE carrying Ethernet', gre(0, 0x6558, frame)],
  ['GRE carrying MPLS', gre(0, 0x8847, [0, 1, 1, 64], inner)],
  [
    'PPTP with sequence and acknowledgement',
    gre(0x3081, 0x880b, [0, 9, 0, 1], [0, 0, 0, 1], [0, 0, 0, 2], [0xff, 3, 0, 0x21], inner),
  ],
  ['PPTP with a short protocol number', gre(0x2001, 0x880b, [0, 9, 0, 1], [0x21], inner)],
  ['ERSPAN type I', gre(0, 0x88be, frame)],
  ['ERSPAN type II', gre(0x1000, 0x88be, [0, 0, 0, 7], new Uint8Array(8), frame)],
  ['ERSPAN type III', gre(0x1000, 0x22eb, [0, 0, 0, 7], new Uint8Array(12), frame)],
  ['IP in IP', f.ipv4({ proto: 4 }, inner)],
  ['6in4', f.ipv4({ proto: 41 }, inner6)],
  ['4in6', f.ipv6(4, inner)],
  ['VXLAN', f.ipv4({ proto: 17 }, f.udp(50000, 4789, vxlan))],
  ['Geneve', geneve([0, 0, 0x65, 0x58, 0, 0, 42, 0], frame)],
  ['Geneve with options', geneve([2, 0x40, 0x65, 0x58, 0, 0, 42, 0], new Uint8Array(8), frame)],
  ['Geneve carrying IPv6', geneve([0, 0, 0x86, 0xdd, 0, 0, 42, 0], inner6)],
  ['GRE carrying NSH', gre(0, 0x894f, nsh(1, inner))],
];

describe('tunnels', () => {
  for (const [name, packetBytes] of tunnels) {
    it(`describes the packet inside ${name}`, () => {
      const { packet, payload, stats } = decodeOne(packetBytes, { linkType: LINK.RAW });
      assert.deepEqual([packet.result, packet.tunnelDepth, packet.proto, payload], [DECODE.OK, 1, PROTO.TCP, 'inside']);
      assert.deepEqual([packet.srcPort, packet.dstPort], [40000, 80]);
      assert.deepEqual(stats, { tunnels: 1 });
    });

    it(`keeps the outer packet of ${name} when nothing may be peeled off`, () => {
      const { packet, stats } = decodeOne(packetBytes, { linkType: LINK.RAW, decoder: { maxTunnelDepth: 0 } });
      assert.equal(packet.result, DECODE.TOO_DEEP);
      assert.deepEqual([packet.src3 === 0x0a000001 || packet.ipVersion === 6, packet.tunnelDepth], [true, 0]);
      assert.deepEqual(stats, { tunnel_too_deep: 1 });
    });
  }

  it('reports the outer packet when what is inside makes no sense', () => {
    const { packet, stats } = decodeOne(gre(0, 0x0800, f.text('this is not an IP packet at all')), {
      linkType: LINK.RAW,
    });
    assert.deepEqual([packet.result, packet.proto, packet.src3], [DECODE.OK, PROTO.GRE, 0x0a000001]);
    assert.deepEqual(stats, { tunnel_payload_invalid: 1 });
  });

  it('describes the packet behind a Network Service Header, and counts headers it cannot follow', () => {
    const within = (body: Uint8Array) => decodeOne(f.ethernet(0x894f, body), { linkType: LINK.ETHERNET });
    for (const body of [nsh(1, inner), nsh(2, inner6), nsh(4, nsh(1, inner)), nsh(3, frame)]) {
      assert.deepEqual([within(body).packet.result, within(body).payload], [DECODE.OK, 'inside']);
    }
    assert.deepEqual(within(nsh(9, inner)).stats, { nsh_unsupported: 1 });
    assert.deepEqual(within(f.bytes([0, 1, 1, 1], new Uint8Array(20))).stats, { nsh_unsupported: 1 });
    assert.deepEqual(within(f.bytes([0, 63, 1, 1], new Uint8Array(20))).stats, { nsh_truncated: 1 });
  });

  it('leaves other UDP traffic on the Geneve port alone', () => {
    for (const body of [
      f.text('hello, this is text'),
      f.bytes([0, 0, 0x65, 0x58, 0, 0, 42, 1], frame),
      f.bytes([63, 0], frame),
    ]) {
      const { packet, stats } = decodeOne(f.ipv4({ proto: 17 }, f.udp(50000, 6081, body)), { linkType: LINK.RAW });
      assert.deepEqual([packet.result, packet.dstPort, packet.tunnelDepth], [DECODE.OK, 6081, 0]);
      assert.deepEqual(stats, { tunnel_payload_invalid: 1 });
    }
  });

  it('leaves other UDP traffic on the VXLAN port alone', () => {
    const { packet, payload } = decodeOne(
      f.ipv4({ proto: 17 }, f.udp(50000, 4789, f.text('a datagram that is not VXLAN'))),
      {
        linkType: LINK.RAW,
      },
    );
    assert.deepEqual([packet.proto, packet.dstPort, payload], [PROTO.UDP, 4789, 'a datagram that is not VXLAN']);
  });

  it('stops at the fifth tunnel and describes the fourth', () => {
    let nested = inner;
    for (let n = 0; n < 6; n++) nested = f.ipv4({ proto: 4, src: `10.0.0.${n}` }, nested);
    const { packet } = decodeOne(nested, { linkType: LINK.RAW });
    assert.deepEqual([packet.result, packet.tunnelDepth, packet.src3], [DECODE.TOO_DEEP, 4, 0x0a000001]);
  });

  it('leaves nothing of the outer packet when the inner one is not IP', () => {
    const arp = f.ethernet(0x0806, f.bytes([0, 1, 8, 0, 6, 4, 0, 1], new Uint8Array(20)));
    const outer = f.ipv4({ proto: 17 }, f.udp(50000, 4789, f.bytes([8, 0, 0, 0, 0, 0, 42, 0], arp)));
    const { packet } = decodeOne(outer, { linkType: LINK.RAW });
    assert.deepEqual([packet.ipVersion, packet.arpOp, packet.srcPort, packet.tunnelDepth], [0, 1, 0, 1]);
  });
});
