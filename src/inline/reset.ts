import { PROTO, TCP, type DecodedPacket } from '../domain/packet.js';
import { foldSum, sumWords } from './checksum.js';

const IP4_HEADER = 20;
const IP6_HEADER = 40;
const TCP_HEADER = 20;
const TTL = 64;
/** An error message quotes so much of the packet (RFC 1812: at most 576 bytes in all; RFC 4443: 1280). */
const QUOTE = { 4: 548, 6: 1232 } as const;

/** Sequence and acknowledgement number of a reset. */
export interface ResetNumbers {
  seq: number;
  /** With ACK; without it the field is 0. */
  ack?: number;
}

/**
 * A TCP reset as an IP packet (RFC 9293 3.5.2).
 * @param forward true: from the packet's sender to its receiver; false: back to its sender.
 */
export function tcpReset(p: DecodedPacket, forward: boolean, numbers: ResetNumbers): Buffer {
  const out = ipHeader(p, forward, PROTO.TCP, TCP_HEADER);
  const at = out.length - TCP_HEADER;
  out.writeUInt16BE(forward ? p.srcPort : p.dstPort, at);
  out.writeUInt16BE(forward ? p.dstPort : p.srcPort, at + 2);
  out.writeUInt32BE(numbers.seq >>> 0, at + 4);
  out.writeUInt32BE((numbers.ack ?? 0) >>> 0, at + 8);
  out[at + 12] = (TCP_HEADER / 4) << 4;
  out[at + 13] = TCP.RST | (numbers.ack === undefined ? 0 : TCP.ACK);
  out.writeUInt16BE(checksum(out, p.ipVersion, PROTO.TCP, at), at + 16);
  return out;
}

/** "Port unreachable" to the sender of a packet (RFC 792, RFC 4443), quoting it. */
export function portUnreachable(p: DecodedPacket): Buffer {
  const isV4 = p.ipVersion === 4;
  const quote = p.data.subarray(p.ipOffset, p.ipOffset + Math.min(p.ipLen, QUOTE[isV4 ? 4 : 6]));
  const proto = isV4 ? PROTO.ICMP : PROTO.ICMPV6;
  const out = ipHeader(p, false, proto, 8 + quote.length);
  const at = out.length - 8 - quote.length;
  out[at] = isV4 ? 3 : 1;
  out[at + 1] = isV4 ? 3 : 4;
  out.set(quote, at + 8);
  out.writeUInt16BE(checksum(out, isV4 ? 0 : 6, proto, at), at + 2);
  return out;
}

function ipHeader(p: DecodedPacket, forward: boolean, proto: number, bytes: number): Buffer {
  const isV4 = p.ipVersion === 4;
  const out = Buffer.alloc((isV4 ? IP4_HEADER : IP6_HEADER) + bytes);
  const src = [p.src0, p.src1, p.src2, p.src3];
  const dst = [p.dst0, p.dst1, p.dst2, p.dst3];
  const [from, to] = forward ? [src, dst] : [dst, src];
  if (isV4) {
    out[0] = 0x45;
    out.writeUInt16BE(out.length, 2);
    out.writeUInt16BE(0x4000, 6);
    out[8] = TTL;
    out[9] = proto;
    out.writeUInt32BE(from[3]! >>> 0, 12);
    out.writeUInt32BE(to[3]! >>> 0, 16);
    out.writeUInt16BE(~foldSum(sumWords(out, 0, IP4_HEADER)) & 0xffff, 10);
    return out;
  }
  out[0] = 0x60;
  out.writeUInt16BE(bytes, 4);
  out[6] = proto;
  out[7] = TTL;
  for (let i = 0; i < 4; i++) {
    out.writeUInt32BE(from[i]! >>> 0, 8 + 4 * i);
    out.writeUInt32BE(to[i]! >>> 0, 24 + 4 * i);
  }
  return out;
}

/** Internet checksum (RFC 1071) of `[at, end)`, with the pseudo header of this IP version; 0: without. */
function checksum(packet: Buffer, version: number, proto: number, at: number): number {
  let total = sumWords(packet, at, packet.length);
  if (version !== 0) {
    total += version === 4 ? sumWords(packet, 12, 20) : sumWords(packet, 8, 40);
    total += proto + packet.length - at;
  }
  return ~foldSum(total) & 0xffff;
}
