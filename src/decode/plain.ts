import { LINK, PROTO, type DecodedPacket, type PacketBlock } from '../domain/packet.js';
import { type DecodeContext } from './context.js';
import { resetFrame, resetIp } from './reset.js';
import { readTcpOptions } from './tcp.js';

/** Ethernet II, IPv4 without options, and the shorter of the two transport headers. */
const IP_AT = 14;
const L4_AT = 34;
const UDP_BYTES = 8;
const TCP_BYTES = 20;
const MIN_BYTES = L4_AT + UDP_BYTES;
const SYN = 2;

/**
 * Decodes what nearly all packets are, whole TCP or UDP in IPv4 without options in an untagged Ethernet frame, in one pass:
 * half of the work of going from layer to layer. Its result is that of the layers' own decoders, field for field; a test
 * compares the two.
 * @param i a packet of an Ethernet block.
 * @returns false when the packet is of another shape or not sound; `p` is then as it was.
 */
export function decodePlain(ctx: DecodeContext, block: PacketBlock, i: number, p: DecodedPacket): boolean {
  const capLen = block.capLen[i]!;
  if (capLen < MIN_BYTES) return false;
  const d = block.data;
  const frame = block.offset[i]!;
  if (d[frame + 12] !== 0x08 || d[frame + 13] !== 0 || d[frame + 14] !== 0x45) return false;
  const ip = frame + IP_AT;
  const totalLen = (d[ip + 2]! << 8) | d[ip + 3]!;
  const have = capLen - IP_AT;
  const flags = d[ip + 6]!;
  // More fragments, or a fragment's offset.
  if (((flags & 0x3f) | d[ip + 7]!) !== 0 || totalLen > have) return false;
  const proto = d[ip + 9]!;
  const l4 = frame + L4_AT;
  const l4Bytes = totalLen - (L4_AT - IP_AT);
  let headerBytes = UDP_BYTES;
  let payloadLen: number;
  const dstPort = (d[l4 + 2]! << 8) | d[l4 + 3]!;
  if (proto === PROTO.TCP) {
    if (l4Bytes < TCP_BYTES) return false;
    headerBytes = (d[l4 + 12]! >> 4) << 2;
    if (headerBytes < TCP_BYTES) return false;
    payloadLen = l4Bytes - headerBytes;
  } else if (proto === PROTO.UDP) {
    const length = (d[l4 + 4]! << 8) | d[l4 + 5]!;
    if (length > l4Bytes || ctx.isTunnelPort(dstPort)) return false;
    payloadLen = length - UDP_BYTES;
  } else return false;
  if (payloadLen < 0) return false;

  if (!p.isPlain) {
    resetFrame(p);
    resetIp(p);
    p.linkType = LINK.ETHERNET;
    p.isPlain = true;
  }
  p.srcMacOffset = frame + 6;
  p.etherType = 0x0800;
  p.ipVersion = 4;
  p.ipOffset = ip;
  p.ipTotalLen = p.ipLen = totalLen;
  p.tos = d[ip + 1]!;
  p.ipId = (d[ip + 4]! << 8) | d[ip + 5]!;
  p.ipFlags = flags >> 5;
  p.ttl = d[ip + 8]!;
  p.proto = proto;
  p.src3 = ((d[ip + 12]! << 24) | (d[ip + 13]! << 16) | (d[ip + 14]! << 8) | d[ip + 15]!) >>> 0;
  p.dst3 = ((d[ip + 16]! << 24) | (d[ip + 17]! << 16) | (d[ip + 18]! << 8) | d[ip + 19]!) >>> 0;
  p.ipOptionsOffset = p.l4Offset = l4;
  p.srcPort = (d[l4]! << 8) | d[l4 + 1]!;
  p.dstPort = dstPort;
  p.payloadOffset = l4 + headerBytes;
  p.payloadLen = payloadLen;
  if (proto === PROTO.UDP) {
    p.tcpFlags = p.seq = p.ack = p.window = p.tcpOptionsOffset = p.tcpOptionsLen = 0;
    p.mss = p.windowScale = -1;
    return true;
  }
  const tcpFlags = d[l4 + 13]!;
  p.tcpFlags = tcpFlags;
  p.seq = ((d[l4 + 4]! << 24) | (d[l4 + 5]! << 16) | (d[l4 + 6]! << 8) | d[l4 + 7]!) >>> 0;
  p.ack = ((d[l4 + 8]! << 24) | (d[l4 + 9]! << 16) | (d[l4 + 10]! << 8) | d[l4 + 11]!) >>> 0;
  p.window = (d[l4 + 14]! << 8) | d[l4 + 15]!;
  p.tcpOptionsOffset = l4 + TCP_BYTES;
  p.tcpOptionsLen = headerBytes - TCP_BYTES;
  p.mss = p.windowScale = -1;
  if ((tcpFlags & SYN) !== 0 && headerBytes !== TCP_BYTES) readTcpOptions(ctx, d, p);
  return true;
}
