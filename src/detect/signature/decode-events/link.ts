import type { FrameReader, ReadLayer } from './reader.js';

const ETHERNET_BYTES = 14;
const ETHERTYPE = { IPV4: 0x0800, IPV6: 0x86dd, ARP: 0x0806, PPPOE_DISCOVERY: 0x8863, PPPOE_SESSION: 0x8864, MPLS: 0x8847, MPLS_MULTICAST: 0x8848, NSH: 0x894f, PROVIDER_BRIDGE: 0x88e7, FABRIC_PATH: 0x8903, VNTAG: 0x8926 } as const; // prettier-ignore
const VLAN_TYPES = [0x8100, 0x88a8, 0x9100];
const MAX_VLANS = 3;
const FABRIC_PATH_BYTES = 16;
const PROVIDER_BRIDGE_BYTES = 18;

export const ethernet: ReadLayer = (r, at, end) => {
  if (end - at < ETHERNET_BYTES) return r.tell('ethernet.pkt_too_small');
  if (!r.enter()) return false;
  r.next('network', at + ETHERNET_BYTES, end, r.u16(at + 12));
  return true;
};

/** What an EtherType names; false when it is none of those that are looked into. */
export const network: ReadLayer = (r, at, end, type) => {
  if (VLAN_TYPES.includes(type)) {
    r.next('vlan', at, end);
    return true;
  }
  switch (type) {
    case ETHERTYPE.ARP:
      return true;
    case ETHERTYPE.IPV4:
      r.next('ipv4', at, end);
      return true;
    case ETHERTYPE.IPV6:
      r.next('ipv6', at, end);
      return true;
    case ETHERTYPE.PPPOE_DISCOVERY:
      pppoeDiscovery(r, at, end);
      return true;
    case ETHERTYPE.PPPOE_SESSION:
      pppoeSession(r, at, end);
      return true;
    case ETHERTYPE.MPLS:
    case ETHERTYPE.MPLS_MULTICAST:
      r.next('mpls', at, end);
      return true;
    case ETHERTYPE.NSH:
      r.next('nsh', at, end);
      return true;
    case ETHERTYPE.PROVIDER_BRIDGE:
      if (end - at < PROVIDER_BRIDGE_BYTES) r.tell('ieee8021ah.header_too_small');
      else r.next('network', at + PROVIDER_BRIDGE_BYTES, end, r.u16(at + 16));
      return true;
    case ETHERTYPE.FABRIC_PATH:
      if (end - at < FABRIC_PATH_BYTES) r.tell('dce.pkt_too_small');
      else r.next('ethernet', at + 2, end);
      return true;
    case ETHERTYPE.VNTAG:
      vntag(r, at, end);
      return true;
    default:
      return false;
  }
};

/** IEEE 802.1Q tag. */
export const vlan: ReadLayer = (r, at, end) => {
  if (r.vlans >= MAX_VLANS) return r.tell('vlan.too_many_layers');
  if (end - at < 4) return r.tell('vlan.header_too_small');
  if (!r.enter()) return false;
  r.vlans++;
  return r.next('network', at + 4, end, r.u16(at + 2)) || r.tell('vlan.unknown_type');
};

/** IEEE 802.1Qbh tag: four bytes, then an EtherType. */
function vntag(r: FrameReader, at: number, end: number): void {
  if (end - at < 6) r.tell('vntag.header_too_small');
  else if (r.enter() && !r.next('network', at + 6, end, r.u16(at + 4))) r.tell('vntag.unknown_type');
}

const SLL_BYTES = 16;

/** Linux cooked capture. */
export const sll: ReadLayer = (r, at, end) => {
  if (end - at < SLL_BYTES) return r.tell('sll.pkt_too_small');
  if (!r.enter()) return false;
  r.next('network', at + SLL_BYTES, end, r.u16(at + 14));
  return true;
};

/** IPv6 has another number on every system that captures so. */
const NULL_IPV6 = [10, 23, 24, 26, 28, 30];

/** BSD loopback: an address family in the order of bytes of the machine that captured, which is taken for little endian. */
export const loopback: ReadLayer = (r, at, end) => {
  if (end - at < 4) return r.tell('ltnull.pkt_too_small');
  const { data } = r;
  const family = (data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)) >>> 0;
  if (family === 2) return r.next('ipv4', at + 4, end);
  if (NULL_IPV6.includes(family)) return r.next('ipv6', at + 4, end);
  return r.tell('ltnull.unsupported_type');
};

/** IP without a link header. */
export const raw: ReadLayer = (r, at, end) => {
  if (end - at < 20) return r.tell('ipv4.pkt_too_small');
  const version = r.data[at]! >> 4;
  if (version === 4) return r.next('ipv4', at, end);
  if (version === 6) return r.next('ipv6', at, end);
  return r.tell('ipraw.invalid_ip_version');
};

/** Cisco HDLC: address, control, EtherType. */
export const chdlc: ReadLayer = (r, at, end) => {
  if (end - at < 4) return r.tell('chdlc.pkt_too_small');
  if (!r.enter()) return false;
  r.next('network', at + 4, end, r.u16(at + 2));
  return true;
};

/** Protocol numbers of PPP (IANA) that are known and not looked into. */
const PPP_OTHERS = new Set([
  0x2d, 0x2b, 0x23, 0x25, 0x27, 0x29, 0x31, 0x33, 0x35, 0x201, 0x231, 0x233, 0x281, 0x283, 0x8021, 0x8023, 0x8025,
  0x8027, 0x8029, 0x802b, 0x8033, 0x8035, 0x8057, 0x8281, 0xc021, 0xc023, 0xc025, 0xc223,
]);
const PPP_IPV4 = 0x21;
const PPP_IPV6 = 0x57;
const PPP_VJ_UNCOMPRESSED = 0x2f;
/** More of them that are known without PPPoE only. */
const PPP_LINK_OTHERS = [0xfd, 0x80fd, 0xc029];

/** PPP (RFC 1662); address and control may be left out, and a number may be of one byte, which is odd then. */
export const ppp: ReadLayer = (r, start, end) => {
  const at = r.data[start] === 0xff ? start + 2 : start;
  const first = at < end ? r.data[at]! : 0;
  const isShort = (first & 1) !== 0;
  if (end - at < (isShort ? 1 : 2)) return r.tell('ppp.pkt_too_small');
  if (!r.enter()) return false;
  if (!isShort) {
    const protocol = r.u16(at);
    if (!PPP_LINK_OTHERS.includes(protocol)) return pppProtocol(r, protocol, at + 2, end);
  } else if (first === PPP_IPV4 || first === PPP_VJ_UNCOMPRESSED)
    return pppProtocol(r, PPP_VJ_UNCOMPRESSED, at + 1, end);
  else if (first === PPP_IPV6) return pppProtocol(r, PPP_IPV6, at + 1, end);
  r.tell('ppp.unsup_proto');
  return true;
};

function pppProtocol(r: FrameReader, protocol: number, at: number, end: number): boolean {
  switch (protocol) {
    case PPP_VJ_UNCOMPRESSED:
      if (end - at < 20) return r.tell('ppp.vju_pkt_too_small');
      return r.data[at]! >> 4 !== 4 || r.next('ipv4', at, end);
    case PPP_IPV4:
      if (end - at < 20) return r.tell('ppp.ip4_pkt_too_small');
      return r.next('ipv4', at, end);
    case PPP_IPV6:
      if (end - at < 40) return r.tell('ppp.ip6_pkt_too_small');
      return r.next('ipv6', at, end);
    default:
      r.tell(PPP_OTHERS.has(protocol) ? 'ppp.unsup_proto' : 'ppp.wrong_type');
      return true;
  }
}

const PPPOE_BYTES = 6;
/** Session: the header and the number of the protocol in PPP, if that is of one byte. */
const SESSION_BYTES = 7;
/** Initiation, offer, request, session confirmation, termination (RFC 2516 5). */
const DISCOVERY_CODES = [0x09, 0x07, 0x19, 0x65, 0xa7];

function pppoeDiscovery(r: FrameReader, at: number, end: number): void {
  if (end - at < PPPOE_BYTES) r.tell('pppoe.pkt_too_small');
  else if (!DISCOVERY_CODES.includes(r.data[at + 1]!)) r.tell('pppoe.wrong_code');
  else if (r.u16(at + 4) > end - at - PPPOE_BYTES) r.tell('pppoe.malformed_tags');
}

function pppoeSession(r: FrameReader, at: number, end: number): void {
  if (end - at < SESSION_BYTES) r.tell('pppoe.pkt_too_small');
  else if (r.enter() && r.u16(at + 4) > 0) {
    // A number of one byte is odd.
    const isShort = (r.data[at + PPPOE_BYTES]! & 1) !== 0;
    const protocol = isShort ? r.data[at + PPPOE_BYTES]! : r.u16(at + PPPOE_BYTES);
    const body = at + PPPOE_BYTES + (isShort ? 1 : 2);
    if (body > end) r.tell('pppoe.pkt_too_small');
    else pppProtocol(r, protocol, body, end);
  }
}
