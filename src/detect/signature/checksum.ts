import { PROTO, type DecodedPacket } from '../../domain/packet.js';

/** Sum of 16-bit words (RFC 1071), an odd byte at the end as if a zero followed. */
function sum(d: Uint8Array, from: number, to: number, start = 0): number {
  let total = start;
  for (let at = from; at + 1 < to; at += 2) total += d[at]! * 256 + d[at + 1]!;
  if ((to - from) % 2 === 1) total += d[to - 1]! * 256;
  return total;
}

function isFolded(total: number): boolean {
  let t = total;
  while (t > 0xffff) t = (t & 0xffff) + Math.floor(t / 65_536);
  return t === 0xffff;
}

/**
 * Whether the header of an IPv4 packet has the checksum it should (RFC 791 3.1); undefined for others. A datagram that was put
 * together from fragments never had a header of its own: theirs are judged.
 */
export function ipv4Checksum(p: DecodedPacket): boolean | undefined {
  if (p.ipVersion !== 4) return undefined;
  if (p.lastFragment !== undefined) return true;
  return isFolded(sum(p.data, p.ipOffset, p.ipOffset + 20 + p.ipOptionsLen));
}

/**
 * Whether TCP, UDP or ICMP in IP has the checksum it should; undefined when the packet is not of that protocol and version,
 * is a fragment, was not captured in full, or (UDP over IPv4) has none.
 */
export function transportChecksum(p: DecodedPacket, version: 4 | 6, proto: number): boolean | undefined {
  if (p.ipVersion !== version || p.proto !== proto || p.isFragment || p.ipTruncated) return undefined;
  const { data, l4Offset: from } = p;
  const to = p.ipOffset + p.ipLen;
  if (from <= 0 || to <= from) return undefined;
  if (proto === PROTO.UDP && data[from + 6] === 0 && data[from + 7] === 0) return version === 6 ? false : undefined;
  if (proto === PROTO.ICMP) return isFolded(sum(data, from, to));
  // Addresses, length and protocol of the pseudo-header (RFC 9293 3.1, RFC 8200 8.1).
  const addresses =
    version === 4 ? sum(data, p.ipOffset + 12, p.ipOffset + 20) : sum(data, p.ipOffset + 8, p.ipOffset + 40);
  return isFolded(sum(data, from, to, addresses + (to - from) + proto));
}
