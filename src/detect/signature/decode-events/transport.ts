import { PROTO, type DecodedPacket } from '../../../domain/packet.js';

const EOL = 0;
const NOP = 1;
/** Length of options that have one (RFC 9293, 7323, 2018): maximum segment size, window scale, SACK permitted, timestamps. */
const LENGTHS: Readonly<Record<number, number>> = { 2: 4, 3: 3, 4: 2, 8: 10 };
const SACK = 5;

export function tcpEvents(p: DecodedPacket, events: string[]): void {
  const d = p.data.subarray(p.tcpOptionsOffset, p.tcpOptionsOffset + p.tcpOptionsLen);
  const seen = new Set<number>();
  for (let at = 0; at < d.length;) {
    const type = d[at]!;
    if (type === EOL) return;
    if (type === NOP) {
      at++;
      continue;
    }
    const length = d[at + 1];
    if (length === undefined) return;
    if (length < 2 || at + length > d.length) {
      events.push('tcp.opt_invalid_len');
      return;
    }
    const fixed = LENGTHS[type];
    const isWrong =
      fixed !== undefined
        ? length !== fixed
        : type === SACK && length !== 2 && (length < 10 || length > 34 || (length - 2) % 8 !== 0);
    if (isWrong) events.push('tcp.opt_invalid_len');
    else if (fixed !== undefined || type === SACK) {
      if (seen.has(type)) events.push('tcp.opt_duplicate');
      seen.add(type);
    }
    at += length;
  }
}

export function udpEvents(p: DecodedPacket, events: string[]): void {
  if (p.isFragment) return;
  const length = p.data[p.l4Offset + 4]! * 256 + p.data[p.l4Offset + 5]!;
  const have = p.ipOffset + p.ipTotalLen - p.l4Offset;
  if (length < 8) events.push('udp.len_invalid');
  else if (have > 0 && length > have) events.push('udp.pkt_too_small');
}

/** Highest code of each type of ICMP that is in use (IANA, ICMP Parameters). */
const ICMPV4_CODES: Readonly<Record<number, number>> = {
  0: 0,
  3: 15,
  4: 0,
  5: 3,
  8: 0,
  9: 16,
  10: 0,
  11: 1,
  12: 2,
  13: 0,
  14: 0,
  15: 0,
  16: 0,
  17: 0,
  18: 0,
};
/** The same for ICMPv6 (RFC 4443, 4861, 2710, 3810). */
const ICMPV6_CODES: Readonly<Record<number, number>> = { 1: 6, 2: 0, 3: 1, 4: 2, 128: 0, 129: 0 };
const MLD_FIRST = 130;
const MLD_LAST = 132;

export function icmpEvents(p: DecodedPacket, events: string[]): void {
  const { icmpType: type, icmpCode: code } = p;
  if (p.proto === PROTO.ICMP) {
    const highest = ICMPV4_CODES[type];
    if (highest === undefined) events.push('icmpv4.unknown_type');
    else if (code > highest) events.push('icmpv4.unknown_code');
    return;
  }
  const highest = ICMPV6_CODES[type];
  if (highest !== undefined && code > highest) events.push('icmpv6.unknown_code');
  // Listener reports are for the link alone (RFC 2710 3).
  if (type >= MLD_FIRST && type <= MLD_LAST && p.ttl !== 1) events.push('icmpv6.mld_message_with_invalid_hl');
  if (type === 100 || type === 101 || type === 200 || type === 201) events.push('icmpv6.experimentation_type');
  else if ((type >= 5 && type < 100) || (type >= 102 && type < 127) || (type > 158 && type < 200) || type > 201)
    events.push('icmpv6.unassigned_type');
}
