import { PROTO, type DecodedPacket } from '../domain/packet.js';

/** One's complement sum of `[from, to)` (RFC 1071), not folded. */
export function sumWords(data: Uint8Array, from: number, to: number): number {
  let total = 0;
  const even = to - ((to - from) & 1);
  for (let i = from; i < even; i += 2) total += (data[i]! << 8) | data[i + 1]!;
  return even < to ? total + (data[even]! << 8) : total;
}

export function foldSum(total: number): number {
  while (total > 0xffff) total = Math.floor(total / 0x10000) + (total & 0xffff);
  return total;
}

/** False when the receiver would throw the packet away because of its TCP or UDP checksum. */
export function hasValidChecksum(p: DecodedPacket): boolean {
  if (p.proto !== PROTO.TCP && p.proto !== PROTO.UDP) return true;
  const end = p.ipOffset + p.ipLen;
  if (p.tunnelDepth > 0 || p.isFragment || end - p.l4Offset < 8) return true;
  // UDP over IPv4 may go without.
  if (p.proto === PROTO.UDP && p.ipVersion === 4 && p.data[p.l4Offset + 6] === 0 && p.data[p.l4Offset + 7] === 0)
    return true;
  const addresses = p.ipVersion === 4 ? [12, 20] : [8, 40];
  const total =
    sumWords(p.data, p.l4Offset, end) +
    sumWords(p.data, p.ipOffset + addresses[0]!, p.ipOffset + addresses[1]!) +
    p.proto +
    (end - p.l4Offset);
  return foldSum(total) === 0xffff;
}
