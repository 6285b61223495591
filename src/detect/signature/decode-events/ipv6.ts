import { PROTO } from '../../../domain/packet.js';
import type { Fragments } from './fragments.js';
import type { FrameReader, ReadLayer } from './reader.js';
import { ofBothVersions } from './transport.js';

const HEADER_BYTES = 40;
const MAX_PACKET = 65_535;
const NEXT = { HOP: 0, ROUTING: 43, FRAGMENT: 44, AH: 51, NONE: 59, DESTINATION: 60, MOBILITY: 135, HIP: 139, SHIM6: 140 } as const; // prettier-ignore
const EXTENSIONS = new Set<number>(Object.values(NEXT));

/** IPv6 (RFC 8200). */
export function ipv6(fragments: Fragments): ReadLayer {
  return (r, at, end) => {
    const { data } = r;
    if (!r.enter()) return false;
    // Suricata has a name for this and does not tell it.
    if (end - at < HEADER_BYTES) return false;
    if (data[at]! >> 4 !== 6) return r.tell('ipv6.wrong_ip_version');
    const stop = at + HEADER_BYTES + r.u16(at + 4);
    if (stop > end) return r.tell('ipv6.trunc_pkt');
    const next = data[at + 6]!;
    if (EXTENSIONS.has(next) || next === PROTO.ESP) extensions(r, fragments, at, stop);
    else payload(r, next, at, at + HEADER_BYTES, stop);
    return true;
  };
}

/** @param ip offset of the IPv6 header. */
function payload(r: FrameReader, next: number, ip: number, at: number, end: number): void {
  switch (next) {
    case PROTO.ICMPV6:
      r.next('icmpv6', at, end, r.data[ip + 7]!);
      break;
    case PROTO.IPIP:
      if (end - at < 20) r.tell('ipv6.ipv4_in_ipv6_too_small');
      else if (r.data[at]! >> 4 === 4) r.tunnel('ipv4', at, end);
      else r.tell('ipv6.ipv4_in_ipv6_wrong_version');
      break;
    case PROTO.IPV6:
      if (end - at < HEADER_BYTES) r.tell('ipv6.ipv6_in_ipv6_too_small');
      else if (r.data[at]! >> 4 === 6) r.tunnel('ipv6', at, end);
      else r.tell('ipv6.ipv6_in_ipv6_wrong_version');
      break;
    case PROTO.ICMP:
      r.tell('ipv6.icmpv4');
      break;
    default:
      if (!ofBothVersions(r, next, at, end)) r.tell('ipv6.unknown_next_header');
  }
}

/** Event for a header of this kind that comes again; destination options may come twice (RFC 8200 4.1). */
const DUPLICATES = {
  [NEXT.HOP]: ['ipv6.exthdr_dupl_hh', 1],
  [NEXT.ROUTING]: ['ipv6.exthdr_dupl_rh', 1],
  [NEXT.FRAGMENT]: ['ipv6.exthdr_dupl_fh', 1],
  [NEXT.AH]: ['ipv6.exthdr_dupl_ah', 1],
  [NEXT.DESTINATION]: ['ipv6.exthdr_dupl_dh', 2],
} as const;

function lengthOf(r: FrameReader, type: number, at: number): number {
  const units = r.data[at + 1]!;
  if (type === NEXT.FRAGMENT) return 8;
  if (type === NEXT.AH) return 12 + (units > 0 ? (units - 1) * 4 : 0);
  return 8 + units * 8;
}

function extensions(r: FrameReader, fragments: Fragments, ip: number, end: number): void {
  const { data } = r;
  const seen = new Map<number, number>();
  let next = data[ip + 6]!;
  let at = ip + HEADER_BYTES;
  for (;;) {
    if (next === NEXT.NONE) {
      if (at < end) r.tell('ipv6.data_after_none_header');
      return;
    }
    if (end - at < 2) {
      r.tell('ipv6.trunc_exthdr');
      return;
    }
    if (!EXTENSIONS.has(next)) {
      // Behind extension headers these are not followed.
      if (next === PROTO.IPV6 || next === PROTO.GRE) r.tell('ipv6.unknown_next_header');
      else payload(r, next, ip, at, end);
      return;
    }
    const length = lengthOf(r, next, at);
    if (length > end - at) {
      r.tell('ipv6.trunc_exthdr');
      return;
    }
    if (next === NEXT.FRAGMENT && data[at + 1] !== 0) r.tell('ipv6.fh_non_zero_reserved_field');
    if (next === NEXT.AH && r.u16(at + 2) !== 0) r.tell('ipv6.exthdr_ah_res_not_null');
    const count = (seen.get(next) ?? 0) + 1;
    seen.set(next, count);
    const duplicate = DUPLICATES[next as keyof typeof DUPLICATES] as
      readonly ['ipv6.exthdr_dupl_hh', number] | undefined;
    if (duplicate !== undefined && count > duplicate[1]) r.tell(duplicate[0]);
    else if (next === NEXT.ROUTING && data[at + 2] === 0) r.tell('ipv6.rh_type_0');
    else if (next === NEXT.HOP || next === NEXT.DESTINATION) options(r, next, at + 2, at + length);
    else if (next === NEXT.FRAGMENT && fragment(r, fragments, { ip, at, end })) return;
    next = data[at]!;
    at += length;
  }
}

const OPTION = { PAD1: 0, PADN: 1, ROUTER_ALERT: 5, JUMBO: 0xc2, HOME_ADDRESS: 0xc9 } as const;
/** Bytes of an option's value at least. */
const LEAST: Readonly<Record<number, number>> = {
  [OPTION.ROUTER_ALERT]: 2,
  [OPTION.JUMBO]: 4,
  [OPTION.HOME_ADDRESS]: 16,
};

function options(r: FrameReader, header: number, start: number, end: number): void {
  const { data } = r;
  const kind = header === NEXT.HOP ? 'hopopts' : 'dstopts';
  let padding = 0;
  let others = 0;
  for (let at = start; at < end;) {
    const type = data[at]!;
    if (type === OPTION.PAD1) {
      padding++;
      at++;
      continue;
    }
    // As Suricata counts: the option may reach a byte beyond the header.
    if (at + 1 >= end || at + 1 + data[at + 1]! > end || data[at + 1]! < (LEAST[type] ?? 0)) {
      r.tell('ipv6.exthdr_invalid_optlen');
      break;
    }
    const length = data[at + 1]!;
    if (type === OPTION.PADN) {
      padding++;
      if (length === 0) r.tell('ipv6.zero_len_padn');
    } else if (LEAST[type] === undefined) {
      others++;
      r.tell(`ipv6.${kind}_unknown_opt`);
    } else if (type !== OPTION.JUMBO) others++;
    at += 2 + length;
  }
  if (padding > 0 && others === 0) r.tell(`ipv6.${kind}_only_padding`);
}

/** @returns true when the packet is a fragment: nothing behind is read. */
function fragment(r: FrameReader, fragments: Fragments, where: { ip: number; at: number; end: number }): boolean {
  const { ip, at, end } = where;
  const field = r.u16(at + 2);
  const offset = field & 0xfff8;
  const hasMore = (field & 1) === 1;
  if (offset === 0 && !hasMore) {
    r.tell('ipv6.exthdr_useless_fh');
    return false;
  }
  const length = end - at - 8;
  if (hasMore && length % 8 !== 0) r.tell('ipv6.frag_invalid_length');
  if (offset + length > MAX_PACKET) {
    r.tell('ipv6.frag_pkt_too_large');
    return true;
  }
  const bytes = Buffer.from(r.data.buffer, r.data.byteOffset);
  const key = `6${bytes.toString('latin1', at + 4, at + 8)}${bytes.toString('latin1', ip + 8, ip + HEADER_BYTES)}`;
  if (fragments.overlaps(key, offset, offset + length)) r.tell('ipv6.frag_overlap');
  return true;
}
