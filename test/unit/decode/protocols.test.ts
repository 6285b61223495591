import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DECODE, LINK, PROTO, TCP } from '../../../src/domain/packet.js';
import { formatIpWords } from '../../../src/util/ip.js';
import { decodeOne } from './decode-one.js';
import * as f from './frames.js';

const web = f.tcp({ flags: TCP.PSH | TCP.ACK, seq: 0xfffffff0, ack: 0x80000001 }, f.text('GET /'));

describe('link layers', () => {
  it('reads Ethernet, IPv4 and TCP, and trims the frame padding', () => {
    const frame = f.bytes(
      f.ethernet(0x0800, f.ipv4({ proto: 6, src: '192.0.2.1', dst: '198.51.100.255' }, web)),
      [0, 0, 0, 0, 0],
    );
    const { packet, payload } = decodeOne(frame);
    assert.equal(packet.result, DECODE.OK);
    assert.equal(packet.ipVersion, 4);
    assert.equal(packet.src3, 0xc0000201);
    assert.equal(packet.dst3, 0xc63364ff);
    assert.equal(packet.ipLen, 45);
    assert.equal(packet.seq, 0xfffffff0);
    assert.equal(packet.ack, 0x80000001);
    assert.deepEqual([packet.srcPort, packet.dstPort, packet.window, packet.tcpFlags], [40000, 80, 64240, 0x18]);
    assert.equal(payload, 'GET /');
    assert.equal(packet.data[packet.srcMacOffset + 5], 2);
    assert.equal(packet.data[packet.srcMacOffset - 1], 1);
  });

  const ip = f.ipv4({ proto: 6 }, web);
  const cases: [string, Uint8Array, number][] = [
    ['raw IP', ip, LINK.RAW],
    ['raw IPv4', ip, LINK.RAW_IPV4],
    ['BSD loopback, little-endian family', f.bytes([2, 0, 0, 0], ip), LINK.NULL],
    ['PPP', f.bytes([0xff, 3, 0, 0x21], ip), LINK.PPP],
    ['PPP without address and control', f.bytes([0, 0x21], ip), LINK.PPP],
    ['PPP with a short protocol number', f.bytes([0x21], ip), LINK.PPP],
    ['BSD loopback, big-endian family', f.bytes([0, 0, 0, 2], ip), LINK.LOOP],
    ['Linux cooked v1', f.bytes([0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 8, 0], ip), LINK.LINUX_SLL],
    ['Linux cooked v2', f.bytes([8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0], ip), LINK.LINUX_SLL2],
    ['IEEE 802.3 with SNAP', f.ethernet(ip.length + 8, f.bytes([0xaa, 0xaa, 3, 0, 0, 0, 8, 0], ip)), LINK.ETHERNET],
    ['802.1Q', f.ethernet(0x8100, f.vlan(100, 0x0800, ip)), LINK.ETHERNET],
    ['802.1ad with 802.1Q', f.ethernet(0x88a8, f.vlan(5, 0x8100, f.vlan(100, 0x0800, ip))), LINK.ETHERNET],
    ['QinQ 0x9100', f.ethernet(0x9100, f.vlan(5, 0x8100, f.vlan(100, 0x0800, ip))), LINK.ETHERNET],
    ['PPPoE session', f.ethernet(0x8864, f.bytes([0x11, 0, 0, 9], f.u16(ip.length + 2), [0, 0x21], ip)), LINK.ETHERNET],
    ['MPLS with two labels', f.ethernet(0x8847, f.bytes([0, 1, 0x00, 64], [0, 2, 0x01, 64], ip)), LINK.ETHERNET],
  ];
  for (const [name, frame, linkType] of cases) {
    it(`finds the IP packet behind ${name}`, () => {
      const { packet, payload, stats } = decodeOne(frame, { linkType });
      assert.equal(payload, 'GET /');
      assert.equal(packet.result, DECODE.OK);
      assert.deepEqual(stats, {});
    });
  }

  it('keeps the first two VLAN ids, the stripped tag first', () => {
    const tagged = f.ethernet(0x8100, f.vlan(0xe007, 0x0800, ip));
    assert.deepEqual(pickVlans(decodeOne(tagged).packet), [1, 7, 0]);
    assert.deepEqual(pickVlans(decodeOne(tagged, { tci: 0x2005 }).packet), [2, 5, 7]);
    assert.deepEqual(pickVlans(decodeOne(f.ethernet(0x0800, ip), { tci: 0 }).packet), [1, 0, 0]);
  });

  it('counts what it does not know instead of guessing', () => {
    assert.deepEqual(decodeOne(f.bytes([1, 2, 3]), { linkType: 105 }).stats, { unsupported_link: 1 });
    assert.deepEqual(decodeOne(f.ethernet(0x88cc, f.bytes([1]))).stats, { unsupported_ethertype: 1 });
  });
});

function pickVlans(packet: { vlanCount: number; vlan0: number; vlan1: number }): number[] {
  return [packet.vlanCount, packet.vlan0, packet.vlan1];
}

describe('ARP', () => {
  it('gives operation, addresses and hardware addresses', () => {
    const body = f.bytes(
      [0, 1, 8, 0, 6, 4, 0, 2],
      [2, 0, 0, 0, 0, 9],
      [10, 0, 0, 9],
      [2, 0, 0, 0, 0, 8],
      [10, 0, 0, 8],
    );
    const { packet } = decodeOne(f.ethernet(0x0806, body));
    assert.deepEqual([packet.arpOp, packet.src3, packet.dst3, packet.ipVersion], [2, 0x0a000009, 0x0a000008, 0]);
    assert.equal(packet.data[packet.arpSenderMacOffset + 5], 9);
    assert.equal(packet.data[packet.arpTargetMacOffset + 5], 8);
  });
});

describe('IPv4', () => {
  it('skips options and says where they are', () => {
    const { packet, payload } = decodeOne(
      f.ethernet(0x0800, f.ipv4({ proto: 6, options: [7, 4, 4, 0, 0, 0, 0, 0] }, web)),
    );
    assert.equal(payload, 'GET /');
    assert.equal(packet.ipOptionsLen, 8);
    assert.equal(packet.data[packet.ipOptionsOffset], 7);
  });

  it('gives fragments no ports', () => {
    const { packet, stats } = decodeOne(
      f.ethernet(0x0800, f.ipv4({ proto: 6, id: 77, flags: 1, fragOffset: 1480 }, web)),
    );
    assert.deepEqual([packet.isFragment, packet.fragOffset, packet.ipFlags, packet.ipId], [true, 1480, 1, 77]);
    assert.deepEqual([packet.srcPort, packet.dstPort, packet.tcpFlags], [0, 0, 0]);
    assert.deepEqual(stats, { fragments: 1 });
  });

  it('takes the rest of the frame when segmentation offload left the length zero', () => {
    const { packet, payload } = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 6, totalLen: 0 }, web)));
    assert.deepEqual([packet.ipLen, payload], [45, 'GET /']);
  });

  it('knows the real length of a packet that was cut by the snapshot length', () => {
    const { packet } = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 6, totalLen: 1500 }, web)));
    assert.deepEqual([packet.result, packet.ipLen, packet.ipTotalLen, packet.ipTruncated], [DECODE.OK, 45, 1500, true]);
  });

  const bad: [string, Uint8Array, string, number][] = [
    [
      'a header length below 20',
      f.bytes([0x44], f.ipv4({ proto: 6 }, web).subarray(1)),
      'ipv4_header_length',
      DECODE.MALFORMED,
    ],
    [
      'a header beyond the frame',
      f.bytes([0x4f], f.ipv4({ proto: 6 }, f.bytes()).subarray(1)),
      'ipv4_truncated',
      DECODE.TRUNCATED,
    ],
    ['a total length below the header', f.ipv4({ proto: 6, totalLen: 19 }, web), 'ipv4_total_length', DECODE.MALFORMED],
    ['version 5', f.bytes([0x55], f.ipv4({ proto: 6 }, web).subarray(1)), 'ip_version', DECODE.MALFORMED],
    ['19 bytes', f.ipv4({ proto: 6 }, web).subarray(0, 19), 'ipv4_truncated', DECODE.TRUNCATED],
  ];
  for (const [name, packetBytes, counter, result] of bad) {
    it(`refuses ${name}`, () => {
      const { packet, stats } = decodeOne(f.ethernet(0x0800, packetBytes));
      assert.deepEqual([packet.result, stats], [result, { [counter]: 1 }]);
    });
  }
});

describe('IPv6', () => {
  it('walks hop-by-hop, routing, destination options and authentication headers', () => {
    const ah = f.bytes([6, 4, 0, 0], new Uint8Array(20), web);
    const destination = f.bytes([51, 0, 1, 4, 0, 0, 0, 0], ah);
    const routing = f.bytes([60, 0, 0, 0, 0, 0, 0, 0], destination);
    const hopByHop = f.bytes([43, 1, 1, 12], new Uint8Array(12), routing);
    const { packet, payload } = decodeOne(f.ethernet(0x86dd, f.ipv6(0, hopByHop)));
    assert.deepEqual([packet.proto, payload], [PROTO.TCP, 'GET /']);
    assert.equal(formatIpWords(6, packet.src0, packet.src1, packet.src2, packet.src3), '2001:db8::1');
    assert.equal(formatIpWords(6, packet.dst0, packet.dst1, packet.dst2, packet.dst3), '2001:db8::2');
  });

  it('reads a fragment header, and passes an atomic fragment as a whole packet', () => {
    const fragment = (offsetAndFlag: number): Uint8Array =>
      f.ipv6(44, f.bytes([6, 0], f.u16(offsetAndFlag), f.u32(0xabcdef01), web));
    const first = decodeOne(f.ethernet(0x86dd, fragment(1))).packet;
    assert.deepEqual([first.isFragment, first.ipId, first.proto, first.srcPort], [true, 0xabcdef01, PROTO.TCP, 0]);
    const later = decodeOne(f.ethernet(0x86dd, fragment(1448))).packet;
    assert.deepEqual([later.isFragment, later.fragOffset, later.ipFlags], [true, 1448, 0]);
    const atomic = decodeOne(f.ethernet(0x86dd, fragment(0)));
    assert.deepEqual([atomic.packet.isFragment, atomic.payload], [false, 'GET /']);
  });

  it('bounds the chain of extension headers', () => {
    let chain: Uint8Array = web;
    for (let n = 0; n < 12; n++) chain = f.bytes([n === 0 ? 6 : 60, 0, 1, 4, 0, 0, 0, 0], chain);
    assert.deepEqual(decodeOne(f.ethernet(0x86dd, f.ipv6(60, chain))).stats, { ipv6_extensions_too_many: 1 });
  });

  it('counts an extension header that runs out of the packet', () => {
    const { packet, stats } = decodeOne(f.ethernet(0x86dd, f.ipv6(0, f.bytes([6, 200, 0, 0, 0, 0, 0, 0]))));
    assert.deepEqual([packet.result, stats], [DECODE.TRUNCATED, { ipv6_extension_truncated: 1 }]);
  });
});

describe('transport', () => {
  it('reads maximum segment size and window scale of a SYN', () => {
    const syn = f.tcp({ flags: TCP.SYN, options: [2, 4, 5, 0xb4, 1, 3, 3, 7] });
    const { packet } = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 6 }, syn)));
    assert.deepEqual([packet.mss, packet.windowScale, packet.tcpOptionsLen], [1460, 7, 8]);
  });

  for (const [name, options] of [
    ['length zero', [2, 0, 0, 0]],
    ['length one', [8, 1, 0, 0]],
    ['a length beyond the header', [2, 40, 0, 0]],
    ['a kind without a length', [1, 1, 1, 2]],
  ] as const) {
    it(`survives a TCP option with ${name}`, () => {
      const syn = f.tcp({ flags: TCP.SYN, options: [...options] });
      assert.deepEqual(decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 6 }, syn))).stats, { tcp_bad_option: 1 });
    });
  }

  it('keeps addresses of a packet whose TCP header is bad', () => {
    const broken = f.tcp({}, f.bytes());
    broken[12] = 0x40;
    const { packet, stats } = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 6 }, broken)));
    assert.deepEqual([packet.result, packet.src3, packet.srcPort], [DECODE.MALFORMED, 0x0a000001, 0]);
    assert.deepEqual(stats, { tcp_header_length: 1 });
  });

  it('cuts the UDP payload at the length of its header', () => {
    const datagram = f.udp(1000, 53, f.text('query-and-padding'), 8 + 5);
    assert.equal(decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 17 }, datagram))).payload, 'query');
  });

  it('refuses a UDP length beyond the packet', () => {
    const { stats } = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 17 }, f.udp(1, 2, f.text('x'), 90))));
    assert.deepEqual(stats, { udp_length: 1 });
  });

  it('reads ICMP, ICMPv6 and SCTP', () => {
    const echo = decodeOne(f.ethernet(0x0800, f.ipv4({ proto: 1 }, f.icmp(8, 0, 9, 3, f.text('ping')))));
    assert.deepEqual([echo.packet.icmpType, echo.packet.icmpId, echo.packet.icmpSeq, echo.payload], [8, 9, 3, 'ping']);
    const solicit = decodeOne(f.ethernet(0x86dd, f.ipv6(58, f.icmp(135, 0)))).packet;
    assert.deepEqual([solicit.icmpType, solicit.proto], [135, PROTO.ICMPV6]);
    const sctp = decodeOne(
      f.ethernet(0x0800, f.ipv4({ proto: 132 }, f.bytes(f.u16(80), f.u16(5000), new Uint8Array(8)))),
    ).packet;
    assert.deepEqual([sctp.srcPort, sctp.dstPort], [80, 5000]);
  });
});
