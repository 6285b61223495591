import { LINK } from '../../../../src/domain/packet.js';
import { bytes, ethernet, icmp, tcp, u16, u32, udp } from '../../decode/frames.js';

/** A frame, how it begins, and every oddity that Suricata 7.0.10 tells of it (`-k none`). */
export type FrameCase = readonly [name: string, linkType: number, frame: Uint8Array, events: readonly string[]];

type Bytes = readonly number[] | Uint8Array;
const zeros = (n: number): Uint8Array => new Uint8Array(n);
const SRC = [192, 0, 2, 1];
const DST = [198, 51, 100, 2];
const SRC6 = bytes([0x20, 1, 0x0d, 0xb8], zeros(11), 1);
const DST6 = bytes([0x20, 1, 0x0d, 0xb8], zeros(11), 2);

interface Header {
  version?: number;
  /** Words of the header as it states. */
  words?: number;
  total?: number;
  options?: number[];
  hops?: number;
}

export function ip4(proto: number, body: Bytes = [], h: Header = {}): Uint8Array {
  const options = h.options ?? [];
  const total = h.total ?? 20 + options.length + body.length;
  const words = h.words ?? 5 + options.length / 4;
  return bytes(((h.version ?? 4) << 4) | words, 0, u16(total), u16(7), u16(0), 64, proto, 0, 0, SRC, DST, options, [...body]); // prettier-ignore
}
export function ip6(next: number, body: Bytes = [], h: Header = {}): Uint8Array {
  return bytes([(h.version ?? 6) << 4, 0, 0, 0], u16(h.total ?? body.length), next, h.hops ?? 64, SRC6, DST6, [...body]); // prettier-ignore
}

const eth4 = (...args: Parameters<typeof ip4>): Uint8Array => ethernet(0x0800, ip4(...args));
const eth6 = (...args: Parameters<typeof ip6>): Uint8Array => ethernet(0x86dd, ip6(...args));
const withOptions = (...options: number[]): Uint8Array => eth4(17, udp(4000, 53, zeros(4)), { options });
const tcpWith = (...options: number[]): Uint8Array => eth4(6, tcp({ options }));
const tcpLength = (words: number, length = 20): Uint8Array =>
  eth4(6, tcp().slice(0, length).map((b, i) => (i === 12 ? words << 4 : b))); // prettier-ignore
const gre = (flags: number, type: number, ...rest: Bytes[]): Uint8Array =>
  eth4(47, bytes(u16(flags), u16(type), ...rest.map((r) => [...r])));
const label = (value: number, isBottom = 1): number[] => [value >> 12, (value >> 4) & 255, ((value & 15) << 4) | isBottom, 64]; // prettier-ignore
const tag = (type: number, body: Bytes): Uint8Array => bytes(u16(5), u16(type), [...body]);
const nsh = (first: number, words: number, kind: number, next: number, rest: Bytes): Uint8Array =>
  ethernet(0x894f, bytes(first, words, kind, next, zeros(4), [...rest]));
const pppoe = (protocol: number, body: Bytes, length = 2 + body.length): Uint8Array =>
  ethernet(0x8864, bytes([0x11, 0, 0, 1], u16(length), u16(protocol), [...body]));
const ppp = (protocol: number, body: Bytes = []): Uint8Array => bytes(0xff, 3, u16(protocol), [...body]);
const geneve = (type: number, body: Bytes, first = 0, options: Bytes = []): Uint8Array =>
  eth4(17, udp(4000, 6081, bytes(first, 0, u16(type), zeros(4), [...options], [...body])));
const vxlan = (frame: Bytes, flags = 8): Uint8Array => eth4(17, udp(4000, 4789, bytes(flags, zeros(7), [...frame])));
const oddIcmp = ip4(1, icmp(99, 0));
const sound4 = ip4(17, udp(4000, 53, zeros(4)));
const sound6 = ip6(17, udp(4000, 53, zeros(4)));
/** An extension header of eight bytes at least: next, length, six bytes or more. */
const extension = (next: number, body: Bytes, length = (body.length + 2) / 8 - 1): Uint8Array => bytes(next, length, [...body]); // prettier-ignore
const UDP = udp(4000, 53, zeros(4));
const ROUTER_ALERT = [5, 2, 0, 0, 0, 0];
const PADDING = [1, 4, 0, 0, 0, 0];
const ROUTE = [2, 0, 0, 0, 0, 0];
const AUTH = (next: number, reserved = 0): Uint8Array => bytes(next, 1, u16(reserved), zeros(8));
/** Frames in frames, as FabricPath has them. */
const nested = (depth: number): Uint8Array => (depth === 0 ? ethernet(0x0800, oddIcmp) : ethernet(0x8903, bytes(0, 0, nested(depth - 1)))); // prettier-ignore
const E = LINK.ETHERNET;

/** For every event a frame that has it, and one beside it that has not. */
export const FRAMES: readonly FrameCase[] = [
  ['whole UDP over IPv4', E, ethernet(0x0800, sound4), []],
  ['whole UDP over IPv6', E, ethernet(0x86dd, sound6), []],
  ['13 bytes', E, ethernet(0x0800, sound4).slice(0, 13), ['ethernet.pkt_too_small']],
  ['a type that nobody knows', E, ethernet(0x1234, zeros(40)), []],
  ['ARP', E, ethernet(0x0806, zeros(28)), []],
  // IPv4
  ['19 bytes of IPv4', E, ethernet(0x0800, sound4.slice(0, 19)), ['ipv4.pkt_too_small']],
  ['version 6 in a frame of IPv4', E, eth4(17, UDP, { version: 6 }), ['ipv4.wrong_ip_version']],
  ['a header of 16 bytes', E, eth4(17, UDP, { words: 4 }), ['ipv4.hlen_too_small']],
  ['total length 19', E, eth4(17, UDP, { total: 19 }), ['ipv4.iplen_smaller_than_hlen']],
  ['total length 0', E, eth4(17, UDP, { total: 0 }), ['ipv4.iplen_smaller_than_hlen']],
  ['one byte less than the header says', E, eth4(17, UDP, { total: 33 }), ['ipv4.trunc_pkt']],
  ['padding behind IPv4', E, bytes(eth4(17, UDP), zeros(6)), []],
  ['ICMPv6 in IPv4', E, eth4(58, icmp(128, 0)), ['ipv4.icmpv6']],
  ['options of four bytes', E, withOptions(1, 1, 1, 0), ['ipv4.opt_pad_required']],
  ['options of eight bytes', E, withOptions(1, 1, 1, 1, 1, 1, 1, 0), []],
  ['an option that nobody knows', E, withOptions(99, 4, 0, 0, 0, 0, 0, 0), ['ipv4.opt_invalid']],
  ['an option that is too long', E, withOptions(7, 9, 4, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['an option of length 1', E, withOptions(7, 1, 4, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['an option without room for its length', E, withOptions(1, 1, 1, 1, 1, 1, 1, 7), ['ipv4.opt_eol_required']],
  ['a route option twice', E, withOptions(7, 3, 4, 7, 3, 4, 0, 0), ['ipv4.opt_duplicate']],
  ['a route option', E, withOptions(7, 7, 4, 0, 0, 0, 0, 0), []],
  ['a route option without a pointer', E, withOptions(7, 2, 0, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['a route pointer of 3', E, withOptions(131, 7, 3, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']],
  ['a route pointer of 5', E, withOptions(137, 7, 5, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']],
  ['a route pointer just behind the option', E, withOptions(7, 7, 8, 0, 0, 0, 0, 0), []],
  ['a route pointer far behind the option', E, withOptions(7, 7, 12, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']],
  ['a timestamp', E, withOptions(68, 8, 5, 0, 0, 0, 0, 0), []],
  ['a timestamp pointer of 4', E, withOptions(68, 8, 4, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']],
  ['a timestamp of four bytes', E, withOptions(68, 4, 5, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['extended security', E, withOptions(133, 7, 5, 0, 0, 0, 0, 0), []],
  ['a router alert', E, withOptions(148, 4, 0, 0, 0, 0, 0, 0), []],
  ['a router alert of five bytes', E, withOptions(148, 5, 0, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['a quick start of seven bytes', E, withOptions(25, 7, 0, 0, 0, 0, 0, 0), ['ipv4.opt_invalid_len']],
  ['a quick start of eight bytes', E, withOptions(25, 8, 0, 0, 0, 0, 0, 0), []],
  ['security tags', E, withOptions(134, 10, 0, 0, 0, 1, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0), []],
  ['security tags with a byte for alignment', E, withOptions(134, 10, 0, 0, 0, 1, 1, 4, 1, 0, 0, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']], // prettier-ignore
  ['a security tag of length 3', E, withOptions(134, 10, 0, 0, 0, 1, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']], // prettier-ignore
  ['security tag 3', E, withOptions(134, 10, 0, 0, 0, 1, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0), ['ipv4.opt_malformed']],
  // IPv6
  ['39 bytes of IPv6', E, ethernet(0x86dd, sound6.slice(0, 39)), []],
  ['version 4 in a frame of IPv6', E, eth6(17, UDP, { version: 4 }), ['ipv6.wrong_ip_version']],
  ['less than IPv6 says', E, eth6(17, UDP, { total: 13 }), ['ipv6.trunc_pkt']],
  ['padding behind IPv6', E, bytes(eth6(17, UDP), zeros(3)), []],
  ['ICMP in IPv6', E, eth6(1, icmp(8, 0)), ['ipv6.icmpv4']],
  ['ICMP behind a header of IPv6', E, eth6(0, bytes(extension(1, ROUTER_ALERT), icmp(8, 0))), ['ipv6.icmpv4']],
  ['a protocol that IPv6 does not know', E, eth6(99, zeros(8)), ['ipv6.unknown_next_header']],
  ['the same behind a header', E, eth6(0, bytes(extension(99, ROUTER_ALERT), zeros(8))), ['ipv6.unknown_next_header']],
  ['IPv6 behind a header', E, eth6(0, bytes(extension(41, ROUTER_ALERT), sound6)), ['ipv6.unknown_next_header']],
  ['data behind no header', E, eth6(59, zeros(2)), ['ipv6.data_after_none_header']],
  ['no header', E, eth6(59), []],
  ['one byte of a header', E, eth6(0, [17]), ['ipv6.trunc_exthdr']],
  ['a header that is too long', E, eth6(0, extension(17, ROUTER_ALERT, 1)), ['ipv6.trunc_exthdr']],
  ['hop options', E, eth6(0, bytes(extension(17, ROUTER_ALERT), UDP)), []],
  ['hop options twice', E, eth6(0, bytes(extension(0, ROUTER_ALERT), extension(17, ROUTER_ALERT), UDP)), ['ipv6.exthdr_dupl_hh']], // prettier-ignore
  ['hop options of padding', E, eth6(0, bytes(extension(17, PADDING), UDP)), ['ipv6.hopopts_only_padding']],
  ['padding of six single bytes', E, eth6(0, bytes(extension(17, zeros(6)), UDP)), ['ipv6.hopopts_only_padding']],
  ['padding of no length', E, eth6(0, bytes(extension(17, [1, 0, 5, 2, 0, 0]), UDP)), ['ipv6.zero_len_padn']],
  ['an unknown hop option', E, eth6(0, bytes(extension(17, [77, 4, 0, 0, 0, 0]), UDP)), ['ipv6.hopopts_unknown_opt']],
  ['an option longer than its header', E, eth6(0, bytes(extension(17, [5, 9, 0, 0, 0, 0]), UDP)), ['ipv6.exthdr_invalid_optlen']], // prettier-ignore
  ['an option without room for its length', E, eth6(0, bytes(extension(17, [5, 3, 0, 0, 0, 5]), UDP)), ['ipv6.exthdr_invalid_optlen']], // prettier-ignore
  ['a router alert of one byte', E, eth6(0, bytes(extension(17, [5, 1, 0, 1, 1, 0]), UDP)), ['ipv6.exthdr_invalid_optlen']], // prettier-ignore
  ['a jumbo option', E, eth6(0, bytes(extension(17, [0xc2, 4, 0, 0, 0, 0]), UDP)), []],
  ['destination options of padding', E, eth6(60, bytes(extension(17, PADDING), UDP)), ['ipv6.dstopts_only_padding']],
  ['an unknown destination option', E, eth6(60, bytes(extension(17, [77, 4, 0, 0, 0, 0]), UDP)), ['ipv6.dstopts_unknown_opt']], // prettier-ignore
  ['destination options twice', E, eth6(60, bytes(extension(60, ROUTER_ALERT), extension(17, ROUTER_ALERT), UDP)), []],
  ['destination options three times', E, eth6(60, bytes(extension(60, ROUTER_ALERT), extension(60, ROUTER_ALERT), extension(17, ROUTER_ALERT), UDP)), ['ipv6.exthdr_dupl_dh']], // prettier-ignore
  ['a routing header of type 0', E, eth6(43, bytes(extension(17, zeros(6)), UDP)), ['ipv6.rh_type_0']],
  ['a routing header of type 2', E, eth6(43, bytes(extension(17, ROUTE), UDP)), []],
  ['a routing header twice', E, eth6(43, bytes(extension(43, ROUTE), extension(17, ROUTE), UDP)), ['ipv6.exthdr_dupl_rh']], // prettier-ignore
  ['a useless fragment header', E, eth6(44, bytes(17, zeros(7), UDP)), ['ipv6.exthdr_useless_fh']],
  ['a fragment header twice', E, eth6(44, bytes(44, zeros(7), 17, zeros(7), UDP)), ['ipv6.exthdr_useless_fh', 'ipv6.exthdr_dupl_fh']], // prettier-ignore
  ['a reserved field of a fragment', E, eth6(44, bytes(17, 5, 0, 1, u32(1), zeros(8))), ['ipv6.fh_non_zero_reserved_field']], // prettier-ignore
  ['a first fragment', E, eth6(44, bytes(17, 0, 0, 1, u32(2), zeros(8))), []],
  ['a first fragment of nine bytes', E, eth6(44, bytes(17, 0, 0, 1, u32(3), zeros(9))), ['ipv6.frag_invalid_length']],
  ['a fragment beyond the end', E, eth6(44, bytes(17, 0, 0xff, 0xf8, u32(4), zeros(16))), ['ipv6.frag_pkt_too_large']],
  ['an authentication header', E, eth6(51, bytes(AUTH(17), UDP)), []],
  ['its reserved field', E, eth6(51, bytes(AUTH(17, 1), UDP)), ['ipv6.exthdr_ah_res_not_null']],
  ['an authentication header twice', E, eth6(51, bytes(AUTH(51), AUTH(17), UDP)), ['ipv6.exthdr_dupl_ah']],
  ['encrypted', E, eth6(50, zeros(24)), []],
  ['encrypted behind a header', E, eth6(0, bytes(extension(50, ROUTER_ALERT), zeros(24))), []], // prettier-ignore
  [
    'encrypted behind a header, too short',
    E,
    eth6(0, bytes(extension(50, ROUTER_ALERT), zeros(7))),
    ['esp.pkt_too_small'],
  ],
  ['encrypted, too short', E, eth6(50, zeros(7)), ['esp.pkt_too_small']],
  ['encrypted, with nothing', E, eth6(50), ['ipv6.trunc_exthdr']],
  ['encrypted IPv4, too short', E, eth4(50, zeros(7)), ['esp.pkt_too_small']],
  ['encrypted IPv4', E, eth4(50, zeros(8)), []],
  // IP in IPv6
  ['IPv4 in IPv6', E, eth6(4, oddIcmp), ['icmpv4.unknown_type']],
  ['IPv4 in IPv6, too short', E, eth6(4, oddIcmp.slice(0, 19)), ['ipv6.ipv4_in_ipv6_too_small']],
  ['version 6 as IPv4 in IPv6', E, eth6(4, sound6), ['ipv6.ipv4_in_ipv6_wrong_version']],
  ['IPv6 in IPv6, too short', E, eth6(41, sound6.slice(0, 39)), ['ipv6.ipv6_in_ipv6_too_small']],
  ['version 4 as IPv6 in IPv6', E, eth6(41, bytes(sound4, zeros(20))), ['ipv6.ipv6_in_ipv6_wrong_version']],
  ['IPv4 in IPv4, which Suricata does not follow', E, eth4(4, oddIcmp), []],
  ['IPv6 in IPv4', E, eth4(41, ip6(1, icmp(8, 0))), ['ipv6.icmpv4']],
  ['fifteen headers', E, nested(13), ['icmpv4.unknown_type']],
  ['sixteen headers', E, nested(14), ['too_many_layers']],
  // TCP, UDP, SCTP
  ['19 bytes of TCP', E, eth4(6, tcp().slice(0, 19)), ['tcp.pkt_too_small']],
  ['a header of TCP longer than the packet', E, tcpLength(6), ['tcp.hlen_too_small']],
  ['a header of TCP of 16 bytes', E, tcpLength(4), ['tcp.invalid_optlen']],
  ['TCP over IPv6, too short', E, eth6(6, tcp().slice(0, 19)), ['tcp.pkt_too_small']],
  ['usual options of TCP', E, tcpWith(2, 4, 5, 0xb4, 1, 3, 3, 7), []],
  ['a segment size of three bytes', E, tcpWith(2, 3, 5, 0), ['tcp.opt_invalid_len']],
  ['a segment size twice', E, tcpWith(2, 4, 5, 0, 2, 4, 5, 0), ['tcp.opt_duplicate']],
  ['a SACK of nothing', E, tcpWith(5, 2, 1, 1), []],
  ['a SACK of half a block', E, tcpWith(5, 6, 0, 0, 0, 0, 1, 1), ['tcp.opt_invalid_len']],
  ['an option of length 0', E, tcpWith(9, 0, 0, 0), ['tcp.opt_invalid_len']],
  ['seven bytes of UDP', E, eth4(17, UDP.slice(0, 7)), ['udp.hlen_too_small']],
  ['UDP longer than the packet', E, eth4(17, udp(4000, 53, zeros(4), 13)), ['udp.pkt_too_small']],
  ['UDP shorter than the packet', E, eth4(17, udp(4000, 53, zeros(4), 11)), []],
  ['UDP of length 7', E, eth4(17, udp(4000, 53, zeros(4), 7)), ['udp.len_invalid']],
  ['UDP of length 0', E, eth4(17, udp(4000, 53, zeros(4), 0)), ['udp.len_invalid']],
  ['eleven bytes of SCTP', E, eth4(132, zeros(11)), ['sctp.pkt_too_small']],
  ['twelve bytes of SCTP', E, eth4(132, zeros(12)), []],
  // ICMP
  ['seven bytes of ICMP', E, eth4(1, icmp(8, 0).slice(0, 7)), ['icmpv4.pkt_too_small']],
  ['type 99 of ICMP', E, eth4(1, icmp(99, 0)), ['icmpv4.unknown_type']],
  ['code 7 of an echo', E, eth4(1, icmp(8, 7)), ['icmpv4.unknown_code']],
  ['unreachable', E, eth4(1, bytes(icmp(3, 3), sound4)), []],
  ['unreachable, without what was', E, eth4(1, icmp(3, 3)), []],
  ['unreachable, with a part of a header', E, eth4(1, bytes(icmp(3, 3), sound4.slice(0, 19))), ['icmpv4.ipv4_trunc_pkt']], // prettier-ignore
  ['unreachable, with IPv6', E, eth4(1, bytes(icmp(3, 3), sound6)), ['icmpv4.ipv4_unknown_ver']],
  ['unreachable, code 16', E, eth4(1, bytes(icmp(3, 16), sound4)), ['icmpv4.unknown_code']],
  ['seven bytes of ICMPv6', E, eth6(58, icmp(128, 0).slice(0, 7)), ['icmpv6.pkt_too_small']],
  ['an echo of ICMPv6', E, eth6(58, icmp(128, 0)), []],
  ['code 7 of an echo of ICMPv6', E, eth6(58, icmp(128, 7)), ['icmpv6.unknown_code']],
  ['unreachable, ICMPv6', E, eth6(58, bytes(icmp(1, 0), sound6)), []],
  ['unreachable, with a part of a header of IPv6', E, eth6(58, bytes(icmp(1, 0), sound6.slice(0, 39))), ['icmpv6.ipv6_trunc_pkt']], // prettier-ignore
  ['unreachable, with IPv4 in ICMPv6', E, eth6(58, bytes(icmp(1, 0), sound4, zeros(20))), ['icmpv6.ipv6_unknown_version']], // prettier-ignore
  ['a listener report from afar', E, eth6(58, icmp(131, 0)), ['icmpv6.mld_message_with_invalid_hl']],
  ['a listener report of the link', E, eth6(58, icmp(131, 0), { hops: 1 }), []],
  ['type 100 of ICMPv6', E, eth6(58, icmp(100, 0)), ['icmpv6.experimentation_type']],
  ['type 50 of ICMPv6', E, eth6(58, icmp(50, 0)), ['icmpv6.unassigned_type']],
  ['type 0 of ICMPv6', E, eth6(58, icmp(0, 0)), ['icmpv6.unknown_type']],
  ['type 135 of ICMPv6', E, eth6(58, icmp(135, 0)), []],
  // VLAN and other tags
  ['three bytes of a tag', E, ethernet(0x8100, zeros(3)), ['vlan.header_too_small']],
  ['a tag before an unknown type', E, ethernet(0x8100, tag(0x1234, zeros(40))), ['vlan.unknown_type']],
  ['a tag', E, ethernet(0x8100, tag(0x0800, oddIcmp)), ['icmpv4.unknown_type']],
  ['three tags', E, ethernet(0x88a8, tag(0x8100, tag(0x8100, tag(0x0800, oddIcmp)))), ['icmpv4.unknown_type']],
  ['four tags', E, ethernet(0x88a8, tag(0x8100, tag(0x8100, tag(0x8100, tag(0x0800, oddIcmp))))), ['vlan.too_many_layers']], // prettier-ignore
  ['five bytes of VN-Tag', E, ethernet(0x8926, zeros(5)), ['vntag.header_too_small']],
  ['VN-Tag before an unknown type', E, ethernet(0x8926, bytes(zeros(4), u16(0x1234), zeros(9))), ['vntag.unknown_type']], // prettier-ignore
  ['VN-Tag', E, ethernet(0x8926, bytes(zeros(4), u16(0x0800), oddIcmp)), ['icmpv4.unknown_type']],
  ['17 bytes of a provider bridge', E, ethernet(0x88e7, zeros(17)), ['ieee8021ah.header_too_small']],
  ['a provider bridge', E, ethernet(0x88e7, bytes(zeros(16), u16(0x0800), oddIcmp)), ['icmpv4.unknown_type']],
  ['15 bytes of FabricPath', E, ethernet(0x8903, zeros(15)), ['dce.pkt_too_small']],
  ['FabricPath', E, ethernet(0x8903, bytes(0, 0, ethernet(0x0800, oddIcmp))), ['icmpv4.unknown_type']],
  // MPLS, NSH
  ['three bytes of a label', E, ethernet(0x8847, zeros(3)), ['mpls.header_too_small']],
  ['a label that is not the last', E, ethernet(0x8847, bytes(label(20, 0), 0, 0, 0)), ['mpls.header_too_small']],
  ['a label before three bytes', E, ethernet(0x8847, bytes(label(20), zeros(3))), ['mpls.pkt_too_small']],
  ['a label before IPv4', E, ethernet(0x8847, bytes(label(20, 0), label(21), oddIcmp)), ['icmpv4.unknown_type']],
  ['the label of IPv4', E, ethernet(0x8847, bytes(label(0), oddIcmp)), ['icmpv4.unknown_type']],
  ['the label of a router alert', E, ethernet(0x8847, bytes(label(1), sound4)), ['mpls.bad_label_router_alert']],
  ['the label of IPv6', E, ethernet(0x8848, bytes(label(2), sound4)), []],
  ['the label of nothing', E, ethernet(0x8847, bytes(label(3), sound4)), ['mpls.bad_label_implicit_null']],
  ['label 14', E, ethernet(0x8847, bytes(label(14), sound4)), ['mpls.bad_label_reserved']],
  ['label 15', E, ethernet(0x8847, bytes(label(15), sound4)), []],
  ['an unknown payload of MPLS', E, ethernet(0x8847, bytes(label(20), 0x50, zeros(9))), ['mpls.unknown_payload_type']],
  ['a pseudowire', E, ethernet(0x8847, bytes(label(20), zeros(4), ethernet(0x0800, oddIcmp))), ['icmpv4.unknown_type']], // prettier-ignore
  ['a short pseudowire', E, ethernet(0x8847, bytes(label(20), zeros(17))), ['ethernet.pkt_too_small']],
  ['seven bytes of NSH', E, ethernet(0x894f, zeros(7)), ['nsh.header_too_small']],
  ['version 1 of NSH', E, nsh(0x40, 2, 2, 1, sound4), ['nsh.unsupported_version']],
  ['NSH without a payload', E, nsh(0, 2, 2, 1, []), ['nsh.bad_header_length']],
  ['NSH with reserved metadata', E, nsh(0, 2, 0, 1, sound4), ['nsh.reserved_type']],
  ['NSH with fixed metadata of another length', E, nsh(0, 2, 1, 1, sound4), ['nsh.bad_header_length']],
  ['NSH with unknown metadata', E, nsh(0, 2, 3, 1, sound4), ['nsh.unsupported_type']],
  ['NSH before an unknown protocol', E, nsh(0, 2, 2, 9, sound4), ['nsh.unknown_payload']],
  ['NSH before IPv4', E, nsh(0, 2, 2, 1, oddIcmp), ['icmpv4.unknown_type']],
  // PPP
  ['five bytes of PPPoE', E, ethernet(0x8864, zeros(5)), ['pppoe.pkt_too_small']],
  ['seven bytes of PPPoE', E, ethernet(0x8864, bytes([0x11, 0, 0, 1, 0, 1, 0])), ['pppoe.pkt_too_small']],
  ['seven bytes of PPPoE with nothing', E, ethernet(0x8864, zeros(7)), []],
  ['PPPoE with IPv4', E, pppoe(0x21, oddIcmp), ['icmpv4.unknown_type']],
  ['PPPoE of no length', E, pppoe(0x21, oddIcmp, 0), []],
  ['PPPoE with 19 bytes of IPv4', E, pppoe(0x21, sound4.slice(0, 19)), ['ppp.ip4_pkt_too_small']],
  ['PPPoE with 39 bytes of IPv6', E, pppoe(0x57, sound6.slice(0, 39)), ['ppp.ip6_pkt_too_small']],
  ['PPPoE with 19 compressed bytes', E, pppoe(0x2f, sound4.slice(0, 19)), ['ppp.vju_pkt_too_small']],
  ['PPPoE with a configuration', E, pppoe(0xc021, zeros(8)), ['ppp.unsup_proto']],
  ['PPPoE with an unknown protocol', E, pppoe(0x00fe, zeros(8)), ['ppp.wrong_type']],
  ['five bytes of a discovery', E, ethernet(0x8863, zeros(5)), ['pppoe.pkt_too_small']],
  ['a discovery', E, ethernet(0x8863, bytes([0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0])), []],
  ['a discovery of an unknown kind', E, ethernet(0x8863, bytes([0x11, 0xbb, 0, 0, 0, 4, 1, 1, 0, 0])), ['pppoe.wrong_code']], // prettier-ignore
  ['a discovery longer than the packet', E, ethernet(0x8863, bytes([0x11, 9, 0, 0, 0, 5, 1, 1, 0, 0])), ['pppoe.malformed_tags']], // prettier-ignore
  ['three bytes of PPP', LINK.PPP, bytes(0xff, 3, 0), ['ppp.pkt_too_small']],
  ['PPP with IPv4', LINK.PPP, ppp(0x21, oddIcmp), ['icmpv4.unknown_type']],
  ['PPP with 19 bytes of IPv4', LINK.PPP, ppp(0x21, sound4.slice(0, 19)), ['ppp.ip4_pkt_too_small']],
  ['PPP without address and control', LINK.PPP, bytes(0, 0x21, oddIcmp), ['icmpv4.unknown_type']],
  ['PPP with an odd byte for IPv4', LINK.PPP, bytes(0x21, oddIcmp.slice(0, 19)), ['ppp.vju_pkt_too_small']],
  ['PPP with an unknown protocol', LINK.PPP, ppp(0x1234), ['ppp.wrong_type']],
  ['PPP with a configuration', LINK.PPP, ppp(0xc021, zeros(8)), ['ppp.unsup_proto']],
  // GRE
  ['three bytes of GRE', E, eth4(47, zeros(3)), ['gre.pkt_too_small']],
  ['version 2 of GRE', E, gre(2, 0x0800, sound4), ['gre.wrong_version']],
  ['GRE', E, gre(0, 0x0800, oddIcmp), ['icmpv4.unknown_type']],
  ['GRE over IPv6', E, eth6(47, bytes([0, 0, 8, 0], oddIcmp)), ['icmpv4.unknown_type']],
  ['GRE with a cut packet: no tunnel', E, gre(0, 0x0800, oddIcmp.slice(0, 27)), []],
  ['GRE with recursion control', E, gre(0x0100, 0x0800, sound4), ['gre.version0_recur']],
  ['GRE with reserved flags', E, gre(0x0008, 0x0800, sound4), ['gre.version0_flags']],
  ['GRE whose header is cut', E, gre(0x2000, 0x0800, zeros(3)), ['gre.version0_hdr_too_big']],
  ['GRE with key and sequence', E, gre(0x3000, 0x0800, zeros(8), oddIcmp), ['icmpv4.unknown_type']],
  ['GRE with routes', E, gre(0x4000, 0x0800, zeros(4), [0, 1, 0, 2, 9, 9], zeros(4), oddIcmp), ['icmpv4.unknown_type']], // prettier-ignore
  ['GRE with routes that do not end', E, gre(0x4000, 0x0800, zeros(4), [0, 1, 0, 9, 9, 9]), ['gre.version0_malformed_sre_hdr']], // prettier-ignore
  ['PPTP with a checksum', E, gre(0x8001, 0x880b, zeros(8)), ['gre.version1_chksum']],
  ['PPTP with routes', E, gre(0x4001, 0x880b, zeros(8)), ['gre.version1_route']],
  ['PPTP with a strict route', E, gre(0x0801, 0x880b, zeros(8)), ['gre.version1_ssr']],
  ['PPTP with recursion control', E, gre(0x0101, 0x880b, zeros(8)), ['gre.version1_recur']],
  ['PPTP with reserved flags', E, gre(0x2009, 0x880b, zeros(8)), ['gre.version1_flags']],
  ['PPTP without a key', E, gre(0x0001, 0x880b, zeros(8)), ['gre.version1_no_key']],
  ['PPTP with another protocol', E, gre(0x2001, 0x0800, zeros(8)), ['gre.version1_wrong_protocol']],
  ['PPTP whose header is cut', E, gre(0x3001, 0x880b, zeros(7)), ['gre.version1_hdr_too_big']],
  ['PPTP', E, gre(0x2001, 0x880b, [0, 32, 0, 1], ppp(0x21, oddIcmp)), ['icmpv4.unknown_type']],
  ['PPTP with a configuration', E, gre(0x2001, 0x880b, [0, 32, 0, 1], ppp(0xc021, zeros(8))), ['ppp.unsup_proto']],
  ['PPTP with an unknown protocol', E, gre(0x2001, 0x880b, [0, 32, 0, 1], ppp(0x1234)), ['ppp.wrong_type']],
  ['a tag in GRE', E, gre(0, 0x8100, tag(0x0800, oddIcmp)), ['icmpv4.unknown_type']],
  ['a tag before an unknown type in GRE: no tunnel', E, gre(0, 0x8100, tag(0x1234, zeros(40))), []],
  ['a frame in GRE', E, gre(0, 0x6558, ethernet(0x0800, oddIcmp)), ['icmpv4.unknown_type']],
  ['ERSPAN', E, gre(0x1000, 0x88be, zeros(4), [0x10, 1, 0, 0, 0, 0, 0, 0], ethernet(0x0800, oddIcmp)), ['icmpv4.unknown_type']], // prettier-ignore
  ['ERSPAN, too short: no tunnel', E, gre(0x1000, 0x88be, zeros(4), [0x10, 1, 0, 0]), []],
  ['ERSPAN of another version: no tunnel', E, gre(0x1000, 0x88be, zeros(4), [0x20, 1, 0, 0, 0, 0, 0, 0], ethernet(0x0800, oddIcmp)), []], // prettier-ignore
  // UDP tunnels
  ['Geneve with a frame', E, geneve(0x6558, ethernet(0x0800, oddIcmp)), ['icmpv4.unknown_type']],
  ['Geneve with IPv4 and an option', E, geneve(0x0800, oddIcmp, 1, [0, 1, 0, 0]), ['icmpv4.unknown_type']],
  ['Geneve with an unknown payload', E, geneve(0x1234, zeros(30)), ['geneve.unknown_payload_type']],
  ['Geneve with ARP', E, geneve(0x0806, zeros(28)), []],
  ['Geneve whose options do not fit', E, geneve(0x1234, zeros(30), 1, [0, 1, 0, 1]), []],
  ['VXLAN', E, vxlan(ethernet(0x0800, oddIcmp)), ['icmpv4.unknown_type']],
  ['VXLAN with an unknown type', E, vxlan(ethernet(0x1234, oddIcmp)), ['vxlan.unknown_payload_type']],
  ['VXLAN without a number', E, vxlan(ethernet(0x0800, oddIcmp), 0), []],
  // Other links
  ['three bytes of a loopback', LINK.NULL, zeros(3), ['ltnull.pkt_too_small']],
  ['a loopback of an unknown family', LINK.NULL, bytes([9, 0, 0, 0], sound4), ['ltnull.unsupported_type']],
  ['a loopback with IPv4', LINK.NULL, bytes([2, 0, 0, 0], oddIcmp), ['icmpv4.unknown_type']],
  ['a loopback with IPv6', LINK.NULL, bytes([30, 0, 0, 0], ip6(59, [1])), ['ipv6.data_after_none_header']],
  ['15 bytes of a cooked capture', LINK.LINUX_SLL, zeros(15), ['sll.pkt_too_small']],
  ['a cooked capture', LINK.LINUX_SLL, bytes(zeros(14), u16(0x0800), oddIcmp), ['icmpv4.unknown_type']],
  ['three bytes of HDLC', LINK.CISCO_HDLC, zeros(3), ['chdlc.pkt_too_small']],
  ['HDLC', LINK.CISCO_HDLC, bytes(0x0f, 0, u16(0x0800), oddIcmp), ['icmpv4.unknown_type']],
  ['19 bytes of IP', LINK.RAW, zeros(19), ['ipv4.pkt_too_small']],
  ['IP of version 5', LINK.RAW, bytes(0x55, zeros(30)), ['ipraw.invalid_ip_version']],
  ['IP', LINK.RAW, oddIcmp, ['icmpv4.unknown_type']],
];
