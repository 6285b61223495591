import type { DecodeEventName } from './names.js';
import type { FrameReader, LayerName, ReadLayer } from './reader.js';

const GRE_BYTES = 4;
const FLAG = { CHECKSUM: 0x8000, ROUTING: 0x4000, KEY: 0x2000, SEQUENCE: 0x1000, STRICT: 0x0800 } as const;
const RECURSION = 0x0700;
/** Flags that version 0 does not have; version 1 has the acknowledgement among them. */
const RESERVED = 0x00f8;
const RESERVED_V1 = 0x0078;
const ACKNOWLEDGEMENT = 0x0080;
const PPP = 0x880b;
const ERSPAN = 0x88be;

const PAYLOADS: Readonly<Record<number, LayerName>> = { 0x0800: 'ipv4', 0x86dd: 'ipv6', 0x6558: 'ethernet' };

/** GRE (RFC 1701, 2784, 2890) and that of PPTP (RFC 2637). */
export const gre: ReadLayer = (r, at, end) => {
  if (end - at < GRE_BYTES) return r.tell('gre.pkt_too_small');
  if (!r.enter()) return false;
  const flags = r.u16(at);
  const type = r.u16(at + 2);
  const version = flags & 7;
  if (version > 1) {
    r.tell('gre.wrong_version');
    return true;
  }
  const body = version === 0 ? plainHeader(r, at, end, flags) : pptpHeader(r, at, end, flags);
  if (body < 0) return true;
  if (type === PPP) {
    const isEmpty = version === 1 && r.u16(at + 4) === 0;
    if (!isEmpty) r.tunnel('ppp', body, end);
  } else if (type === ERSPAN) {
    // Type I has no sequence number and no header of its own; it is off unless configured.
    if ((flags & FLAG.SEQUENCE) !== 0) r.tunnel('erspan', body, end);
  } else if (type === 0x8100) r.tunnel('vlan', body, end);
  else if (PAYLOADS[type] !== undefined) r.tunnel(PAYLOADS[type], body, end);
  return true;
};

const wrong = (r: FrameReader, event: DecodeEventName): -1 => {
  r.tell(event);
  return -1;
};

/** @returns where the header ends, or -1. */
function plainHeader(r: FrameReader, at: number, end: number, flags: number): number {
  if ((flags & RECURSION) !== 0) return wrong(r, 'gre.version0_recur');
  if ((flags & RESERVED) !== 0) return wrong(r, 'gre.version0_flags');
  let body = at + GRE_BYTES;
  if (flags & FLAG.KEY) body += 4;
  if (flags & FLAG.SEQUENCE) body += 4;
  if (flags & (FLAG.CHECKSUM | FLAG.ROUTING)) body += 4;
  if (body > end) return wrong(r, 'gre.version0_hdr_too_big');
  if ((flags & FLAG.ROUTING) === 0) return body;
  // Source route entries: address family, offset, length, and so many bytes; the last one is empty.
  for (;;) {
    if (body + 4 > end) return wrong(r, 'gre.version0_malformed_sre_hdr');
    const length = r.data[body + 3]!;
    const isLast = r.u16(body) === 0 && length === 0;
    body += 4;
    if (isLast) return body;
    body += length;
    if (body > end) return wrong(r, 'gre.version0_malformed_sre_hdr');
  }
}

function pptpHeader(r: FrameReader, at: number, end: number, flags: number): number {
  if (flags & FLAG.CHECKSUM) return wrong(r, 'gre.version1_chksum');
  if (flags & FLAG.ROUTING) return wrong(r, 'gre.version1_route');
  if (flags & FLAG.STRICT) return wrong(r, 'gre.version1_ssr');
  if (flags & RECURSION) return wrong(r, 'gre.version1_recur');
  if (flags & RESERVED_V1) return wrong(r, 'gre.version1_flags');
  if (r.u16(at + 2) !== PPP) return wrong(r, 'gre.version1_wrong_protocol');
  if (!(flags & FLAG.KEY)) return wrong(r, 'gre.version1_no_key');
  const body = at + GRE_BYTES + 4 + (flags & FLAG.SEQUENCE ? 4 : 0) + (flags & ACKNOWLEDGEMENT ? 4 : 0);
  return body > end ? wrong(r, 'gre.version1_hdr_too_big') : body;
}

const ERSPAN_BYTES = 8;
const MAX_ERSPAN_VLANS = 3;

/** ERSPAN type II (draft-foschiano-erspan): version and VLAN, session, index, and a frame. */
export const erspan: ReadLayer = (r, at, end) => {
  if (!r.enter()) return false;
  if (end - at < ERSPAN_BYTES) return r.tell('erspan.header_too_small');
  const first = r.u16(at);
  if (first >> 12 !== 1) return r.tell('erspan.unsupported_version');
  if ((first & 0xfff) > 0) {
    if (r.vlans >= MAX_ERSPAN_VLANS) return r.tell('erspan.too_many_vlan_layers');
    r.vlans++;
  }
  return r.next('ethernet', at + ERSPAN_BYTES, end);
};

const GENEVE_BYTES = 8;
const ARP = 0x0806;

/** Geneve (RFC 8926) in UDP; what does not look like it is an ordinary datagram. */
export function geneve(r: FrameReader, at: number, end: number): void {
  if (end - at < GENEVE_BYTES || !r.enter()) return;
  const { data } = r;
  const body = at + GENEVE_BYTES + (data[at]! & 0x3f) * 4;
  if (body > end || data[at]! >> 6 !== 0 || (data[at + 1]! & 0x3f) !== 0 || data[at + 7] !== 0) return;
  let option = at + GENEVE_BYTES;
  while (option < body) option += 4 + (data[option + 3]! & 0x1f) * 4;
  if (option !== body) return;
  const type = r.u16(at + 2);
  const inner = PAYLOADS[type];
  if (inner !== undefined) r.tunnel(inner, body, end);
  else if (type !== ARP) r.tell('geneve.unknown_payload_type');
}

const VXLAN_BYTES = 8;
const ETHERNET_BYTES = 14;

/** VXLAN (RFC 7348) in UDP: of the frame only IP is looked into. */
export function vxlan(r: FrameReader, at: number, end: number): void {
  const frame = at + VXLAN_BYTES;
  if (end - frame < ETHERNET_BYTES || !r.enter()) return;
  if ((r.data[at]! & 8) === 0 || r.data[at + 7] !== 0) return;
  const type = r.u16(frame + 12);
  const inner = PAYLOADS[type];
  if (inner === 'ipv4' || inner === 'ipv6') r.tunnel(inner, frame + ETHERNET_BYTES, end);
  else if (type !== ARP) r.tell('vxlan.unknown_payload_type');
}
