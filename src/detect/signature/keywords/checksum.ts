import { PROTO, type DecodedPacket } from '../../../domain/packet.js';
import { ipv4Checksum, transportChecksum } from '../checksum.js';
import type { Keyword } from './payload.js';

/** `valid` or `invalid`, also in quotes; a packet that has no such checksum is neither. */
function checksum(check: (packet: DecodedPacket) => boolean | undefined): Keyword {
  return (b, value) => {
    const wanted = /^"?(in)?valid"?$/i.exec(value.trim());
    if (!wanted) throw new Error(`"${value}" is neither valid nor invalid`);
    const isInvalid = wanted[1] !== undefined;
    b.needsPacket = true;
    b.rule.packetTests.push((packet) => check(packet) === !isInvalid);
  };
}

const transport = (version: 4 | 6, proto: number): Keyword => checksum((p) => transportChecksum(p, version, proto));

/** Keywords about checksums of headers. */
export const CHECKSUM_KEYWORDS: Readonly<Record<string, Keyword>> = {
  'ipv4-csum': checksum(ipv4Checksum),
  'tcpv4-csum': transport(4, PROTO.TCP),
  'tcpv6-csum': transport(6, PROTO.TCP),
  'udpv4-csum': transport(4, PROTO.UDP),
  'udpv6-csum': transport(6, PROTO.UDP),
  'icmpv4-csum': transport(4, PROTO.ICMP),
  'icmpv6-csum': transport(6, PROTO.ICMPV6),
};
