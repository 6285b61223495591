import { PROTO, type DecodedPacket } from '../../domain/packet.js';

/** Bytes of a header as `ipv4.hdr`, `tcp.hdr` and the like name them; undefined when the packet has none. */
export function headerBytes(name: string, p: DecodedPacket): Uint8Array | undefined {
  const slice = (from: number, to: number): Uint8Array => p.data.subarray(from, to);
  switch (name) {
    case 'ipv4.hdr':
      return p.ipVersion === 4 ? slice(p.ipOffset, p.ipOffset + 20 + p.ipOptionsLen) : undefined;
    case 'ipv6.hdr':
      return p.ipVersion === 6 ? slice(p.ipOffset, p.l4Offset) : undefined;
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
