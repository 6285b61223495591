import { LINK, PROTO, type DecodedPacket } from '../../domain/packet.js';

/** Protocols whose packets have a payload that rules look at; of others only the headers count. */
const WITH_PAYLOAD = new Set<number>([PROTO.ICMP, PROTO.TCP, PROTO.UDP, PROTO.ICMPV6, PROTO.SCTP]);

/** Bytes that rules about payload see; a fragment has none, the packet that it becomes part of has. */
export function payloadLength(p: DecodedPacket): number {
  if (p.isFragment) return 0;
  return WITH_PAYLOAD.has(p.proto) ? p.payloadLen : 0;
}

const ETHERNET_BYTES = 14;
/** IP protocol number (IANA). */
const IGMP = 2;

const TRANSPORT_HEADERS = new Set(['tcp.hdr', 'udp.hdr', 'icmpv4.hdr', 'icmpv6.hdr']);

/** Bytes of a header as `ipv4.hdr`, `tcp.hdr` and the like name them, or an address; undefined when the packet has none. */
export function headerBytes(name: string, p: DecodedPacket): Uint8Array | undefined {
  const slice = (from: number, to: number): Uint8Array => p.data.subarray(from, to);
  // What a fragment begins with is not looked at before the packet is whole.
  if (p.isFragment && TRANSPORT_HEADERS.has(name)) return undefined;
  switch (name) {
    case 'ether.hdr':
      return p.linkType === LINK.ETHERNET ? slice(p.frameOffset, p.frameOffset + ETHERNET_BYTES) : undefined;
    case 'igmp.hdr':
      return p.proto === IGMP && !p.isFragment ? slice(p.payloadOffset, p.payloadOffset + p.payloadLen) : undefined;
    case 'ipv4.hdr':
      return p.ipVersion === 4 ? slice(p.ipOffset, p.ipOffset + 20 + p.ipOptionsLen) : undefined;
    case 'ipv6.hdr':
      return p.ipVersion === 6 ? slice(p.ipOffset, p.l4Offset) : undefined;
    case 'ip.src':
      return address(p, 12, 8);
    case 'ip.dst':
      return address(p, 16, 24);
    case 'tcp.hdr':
      return p.proto === PROTO.TCP ? slice(p.l4Offset, p.l4Offset + 20 + p.tcpOptionsLen) : undefined;
    case 'udp.hdr':
      return p.proto === PROTO.UDP ? slice(p.l4Offset, p.l4Offset + 8) : undefined;
    case 'icmpv4.hdr':
      return p.proto === PROTO.ICMP ? slice(p.l4Offset, p.payloadOffset) : undefined;
    case 'icmpv6.hdr':
      return p.proto === PROTO.ICMPV6 ? slice(p.l4Offset, p.payloadOffset) : undefined;
    default:
      return undefined;
  }
}

/** The bytes of an address by its place in a header of IPv4 and of IPv6. */
function address(p: DecodedPacket, inIpv4: number, inIpv6: number): Uint8Array | undefined {
  if (p.ipVersion === 4) return p.data.subarray(p.ipOffset + inIpv4, p.ipOffset + inIpv4 + 4);
  return p.ipVersion === 6 ? p.data.subarray(p.ipOffset + inIpv6, p.ipOffset + inIpv6 + 16) : undefined;
}
