import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createDecoder } from '../../../../src/decode/index.js';
import { createDecodeEvents } from '../../../../src/detect/signature/decode-events/index.js';
import { DecodedPacket } from '../../../../src/domain/packet.js';
import { be16, be32, join } from '../../applayer/wire.js';
import { compile } from './rules.js';

type Bytes = readonly number[] | Uint8Array;
const SRC = [192, 0, 2, 1];
const DST = [198, 51, 100, 2];
const SRC6 = join(0x20, 1, 0xd, 0xb8, new Uint8Array(11), 1);
const DST6 = join(0x20, 1, 0xd, 0xb8, new Uint8Array(11), 2);

function checksum(...parts: Bytes[]): number[] {
  const d = join(...parts);
  let sum = 0;
  for (let i = 0; i < d.length; i += 2) sum += d[i]! * 256 + (d[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return be16(~sum & 0xffff);
}

interface Ipv4 {
  options?: number[];
  /** Flags and offset in units of eight bytes. */
  fragment?: number;
}
function ipv4(proto: number, body: Bytes, { options = [], fragment = 0 }: Ipv4 = {}): Uint8Array {
  const length = 20 + options.length + body.length;
  const header = (sum: number[]): Uint8Array =>
    join(0x40 | (5 + options.length / 4), 0, be16(length), be16(7), be16(fragment), 64, proto, sum, SRC, DST, options);
  return join(header(checksum(header([0, 0]))), body);
}
const ipv6 = (next: number, body: Bytes, hops = 64): Uint8Array =>
  join(0x60, 0, 0, 0, be16(body.length), next, hops, SRC6, DST6, body);

const tcpHeader = (options: number[], sum: number[]): Uint8Array =>
  join(be16(4000), be16(80), be32(1), be32(0), (5 + options.length / 4) << 4, 2, be16(1024), sum, be16(0), options);
function tcp(options: number[] = []): Uint8Array {
  const length = 20 + options.length;
  return tcpHeader(options, checksum(SRC, DST, [0, 6], be16(length), tcpHeader(options, [0, 0])));
}
const udp = (length: number, body: Bytes): Uint8Array => join(be16(4000), be16(53), be16(length), be16(0), body);
const icmp = (type: number, code: number): Uint8Array => join(type, code, be16(0), be32(0));

function decode(d: Uint8Array): DecodedPacket {
  const packet = new DecodedPacket();
  packet.data = d;
  createDecoder().decodeIp(d, 0, d.length, packet);
  return packet;
}

const EIGHT = new Uint8Array(8);
const padding = [1, 4, 0, 0, 0, 0];
const fragmentHeader = (next: number, field: number): Uint8Array => join(next, 0, be16(field), be32(9));

describe('an oddity of a packet is told:', () => {
  for (const [event, packet] of [
    ['ipv4.opt_duplicate', ipv4(17, udp(8, []), { options: [7, 3, 4, 7, 3, 4, 0, 0] })],
    ['ipv4.opt_invalid', ipv4(17, udp(8, []), { options: [99, 4, 0, 0] })],
    ['ipv4.opt_invalid_len', ipv4(17, udp(8, []), { options: [7, 40, 4, 0] })],
    ['ipv4.opt_eol_required', ipv4(17, udp(8, []), { options: [1, 1, 1, 7] })],
    ['ipv4.icmpv6', ipv4(58, icmp(128, 0))],
    ['ipv4.frag_pkt_too_large', ipv4(17, EIGHT, { fragment: 0x1fff })],
    ['tcp.opt_invalid_len', ipv4(6, tcp([2, 3, 5, 0]))],
    ['tcp.opt_duplicate', ipv4(6, tcp([2, 4, 5, 0, 2, 4, 5, 0]))],
    ['udp.pkt_too_small', ipv4(17, udp(100, [1]))],
    ['icmpv4.unknown_type', ipv4(1, icmp(99, 0))],
    ['icmpv4.unknown_code', ipv4(1, icmp(8, 7))],
    ['icmpv6.unknown_code', ipv6(58, icmp(128, 7))],
    ['icmpv6.mld_message_with_invalid_hl', ipv6(58, icmp(131, 0))],
    ['ipv6.icmpv4', ipv6(1, icmp(8, 0))],
    ['ipv6.data_after_none_header', ipv6(59, [1, 2])],
    ['ipv6.rh_type_0', ipv6(43, join(17, 0, 0, 0, be32(0), udp(8, [])))],
    ['ipv6.exthdr_dupl_hh', ipv6(0, join(0, 0, padding, 17, 0, padding, udp(8, [])))],
    ['ipv6.hopopts_only_padding', ipv6(0, join(17, 0, padding, udp(8, [])))],
    ['ipv6.dstopts_unknown_opt', ipv6(60, join(17, 0, 77, 4, be32(0), udp(8, [])))],
    ['ipv6.exthdr_useless_fh', ipv6(44, join(fragmentHeader(17, 0), udp(8, [])))],
    ['ipv6.frag_invalid_length', ipv6(44, join(fragmentHeader(17, 1), [1, 2, 3]))],
    ['ipv6.fh_non_zero_reserved_field', ipv6(44, join(17, 5, be16(1), be32(9), EIGHT))],
  ] as [string, Uint8Array][]) {
    test(event, () => {
      assert.ok(createDecodeEvents().of(decode(packet)).includes(event));
    });
  }

  test('a fragment that covers another one, of IPv4 and of IPv6', () => {
    const events = createDecodeEvents();
    const seen = [
      ipv4(17, join(EIGHT, EIGHT), { fragment: 0x2000 }),
      ipv4(17, EIGHT, { fragment: 0x0001 }),
      ipv6(44, join(fragmentHeader(17, 1), EIGHT, EIGHT)),
      ipv6(44, join(fragmentHeader(17, 8), EIGHT)),
    ].map((d) => [...events.of(decode(d))]);
    assert.deepEqual(seen, [[], ['ipv4.frag_overlap'], [], ['ipv6.frag_overlap']]);
    const whole = decode(ipv4(17, udp(8, [])));
    whole.hasOverlap = true;
    assert.deepEqual(events.of(whole), ['ipv4.frag_overlap'], 'of the fragment that completed it');
  });

  for (const [name, packet] of [
    ['TCP with options', ipv4(6, tcp([2, 4, 5, 0xb4, 1, 3, 3, 7]))],
    ['TCP with a SACK of nothing', ipv4(6, tcp([5, 2, 1, 1]))],
    ['UDP with padding behind it', ipv4(17, udp(9, [1, 0, 0]))],
    ['an echo of ICMPv6', ipv6(58, icmp(128, 0))],
  ] as [string, Uint8Array][]) {
    test(`${name} is nothing odd`, () => {
      assert.deepEqual([...createDecodeEvents().of(decode(packet))], []);
    });
  }
});

describe('checksums', () => {
  const holds = (options: string, packet: Uint8Array): boolean =>
    compile(`alert ip any any -> any any (${options} sid:1;)`).packetTests.every((t) => t(decode(packet), 0));
  const sound = ipv4(6, tcp());
  const changed = (at: number): Uint8Array => sound.map((b, i) => (i === at ? b ^ 1 : b));

  test('of IPv4 and TCP are valid, or invalid once a bit is another', () => {
    for (const [keyword, at] of [
      ['ipv4-csum', 8],
      ['tcpv4-csum', 25],
    ] as const) {
      // prettier-ignore
      assert.ok(holds(`${keyword}:valid;`, sound) && !holds(`${keyword}:invalid;`, sound));
      assert.ok(holds(`${keyword}:invalid;`, changed(at)) && !holds(`${keyword}:valid;`, changed(at)));
    }
  });

  test('of another protocol are neither', () => {
    for (const keyword of ['udpv4-csum', 'udpv6-csum', 'tcpv6-csum', 'icmpv4-csum', 'icmpv6-csum'])
      assert.ok(!holds(`${keyword}:valid;`, sound) && !holds(`${keyword}:invalid;`, sound), keyword);
  });

  test('of UDP over IPv4 may be left out, over IPv6 not', () => {
    assert.ok(!holds('udpv4-csum:invalid;', ipv4(17, udp(8, []))));
    assert.ok(holds('udpv6-csum:invalid;', ipv6(17, udp(8, []))));
  });
});

describe('other keywords about the packet', () => {
  const holds = (options: string, packet: Uint8Array): boolean =>
    compile(`alert ip any any -> any any (${options} sid:1;)`).packetTests.every((t) => t(decode(packet), 0));

  test('rpc looks at program, version and procedure of a call', () => {
    const call = ipv4(17, udp(36, join(be32(1), be32(0), be32(2), be32(100_000), be32(2), be32(3), be32(0))));
    assert.ok(holds('rpc:100000,2,3;', call) && holds('rpc:100000,*,3;', call) && holds('rpc:100000;', call));
    assert.ok(!holds('rpc:100000,3;', call) && !holds('rpc:100003;', call) && !holds('rpc:100000,*,4;', call));
  });

  test('flags about the beginning of a connection look only at its packets', () => {
    const flagged = (flags: number): Uint8Array => ipv4(6, tcp()).map((b, i) => (i === 33 ? flags : b));
    const [syn, ack, finAck] = [flagged(2), flagged(16), flagged(17)] as const;
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:!S;', p)), [false, false, true]); // prettier-ignore
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:!P;', p)), [true, true, true]); // prettier-ignore
    assert.deepEqual([syn, ack, finAck].map((p) => holds('flags:*SA;', p)), [true, false, true]); // prettier-ignore
  });
});
