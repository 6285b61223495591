import { PROTO, type DecodedPacket } from '../../../domain/packet.js';
import type { Fragments } from './fragments.js';

const HEADER = { HOP: 0, ROUTING: 43, FRAGMENT: 44, ESP: 50, AUTH: 51, NONE: 59, DESTINATION: 60 } as const;
const EXTENSIONS = new Set<number>([0, 43, 44, 51, 60, 135, 139, 140]);
const MAX_HEADERS = 32;
const MAX_PACKET = 65_535;

/** Event for a header of this kind that comes again; destination options may come twice (RFC 8200 4.1). */
const DUPLICATES: Readonly<Record<number, readonly [event: string, allowed: number]>> = {
  [HEADER.HOP]: ['ipv6.exthdr_dupl_hh', 1],
  [HEADER.ROUTING]: ['ipv6.exthdr_dupl_rh', 1],
  [HEADER.FRAGMENT]: ['ipv6.exthdr_dupl_fh', 1],
  [HEADER.AUTH]: ['ipv6.exthdr_dupl_ah', 1],
  [HEADER.DESTINATION]: ['ipv6.exthdr_dupl_dh', 2],
};

export function ipv6Events(p: DecodedPacket, fragments: Fragments, events: string[]): void {
  const { data } = p;
  const end = p.ipOffset + p.ipLen;
  const seen = new Map<number, number>();
  let next = data[p.ipOffset + 6]!;
  let at = p.ipOffset + 40;
  for (let n = 0; n < MAX_HEADERS && EXTENSIONS.has(next); n++) {
    if (at + 8 > end) {
      events.push('ipv6.trunc_exthdr');
      return;
    }
    const count = (seen.get(next) ?? 0) + 1;
    seen.set(next, count);
    const duplicate = DUPLICATES[next];
    if (duplicate !== undefined && count === duplicate[1] + 1) events.push(duplicate[0]);
    const length =
      next === HEADER.FRAGMENT ? 8 : next === HEADER.AUTH ? 4 * (data[at + 1]! + 2) : 8 * (data[at + 1]! + 1);
    if (at + length > end) {
      events.push('ipv6.trunc_exthdr');
      return;
    }
    header(p, next, at, length, { fragments, events, end });
    if (next === HEADER.FRAGMENT && (((data[at + 2]! << 8) | data[at + 3]!) & 0xfff8) !== 0) return;
    next = data[at]!;
    at += length;
  }
  if (next === HEADER.NONE && at < end) events.push('ipv6.data_after_none_header');
  if (next === PROTO.ICMP) events.push('ipv6.icmpv4');
}

interface Context {
  fragments: Fragments;
  events: string[];
  end: number;
}

function header(p: DecodedPacket, type: number, at: number, length: number, { fragments, events, end }: Context): void {
  const { data } = p;
  if (type === HEADER.FRAGMENT) fragment(p, at, { fragments, events, end });
  else if (type === HEADER.ROUTING && data[at + 2] === 0) events.push('ipv6.rh_type_0');
  else if (type === HEADER.AUTH && (data[at + 2] !== 0 || data[at + 3] !== 0))
    events.push('ipv6.exthdr_ah_res_not_null');
  else if (type === HEADER.HOP) options(data.subarray(at + 2, at + length), 'hopopts', events);
  else if (type === HEADER.DESTINATION) options(data.subarray(at + 2, at + length), 'dstopts', events);
}

/** Options that routers know: padding, router alert, jumbo payload, home address. */
const KNOWN_OPTIONS = new Set([0, 1, 5, 0xc2, 0xc9]);

function options(d: Uint8Array, kind: 'hopopts' | 'dstopts', events: string[]): void {
  let others = 0;
  let unknown = false;
  for (let at = 0; at < d.length;) {
    const type = d[at]!;
    if (type === 0) {
      at++;
      continue;
    }
    const length = d[at + 1];
    if (length === undefined || at + 2 + length > d.length) {
      events.push('ipv6.exthdr_invalid_optlen');
      return;
    }
    if (type === 1 && length === 0) events.push('ipv6.zero_len_padn');
    if (type !== 1) others++;
    unknown ||= !KNOWN_OPTIONS.has(type);
    at += 2 + length;
  }
  if (unknown) events.push(`ipv6.${kind}_unknown_opt`);
  if (others === 0) events.push(`ipv6.${kind}_only_padding`);
}

function fragment(p: DecodedPacket, at: number, { fragments, events, end }: Context): void {
  const { data } = p;
  const field = (data[at + 2]! << 8) | data[at + 3]!;
  const offset = field & 0xfff8;
  const hasMore = (field & 1) === 1;
  const length = end - at - 8;
  if (data[at + 1] !== 0) events.push('ipv6.fh_non_zero_reserved_field');
  if (offset === 0 && !hasMore) {
    events.push('ipv6.exthdr_useless_fh');
    return;
  }
  if (hasMore && length % 8 !== 0) events.push('ipv6.frag_invalid_length');
  if (offset + length > MAX_PACKET) events.push('ipv6.frag_pkt_too_large');
  const id = Buffer.from(data.buffer, data.byteOffset + at + 4, 4).readUInt32BE();
  if (fragments.overlaps(p, id, offset, offset + length)) events.push('ipv6.frag_overlap');
}
