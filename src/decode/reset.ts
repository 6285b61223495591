import { DECODE, type DecodedPacket } from '../domain/packet.js';

/** Clears what describes the frame around the IP packet. */
export function resetFrame(p: DecodedPacket): void {
  p.srcMacOffset = -1;
  p.etherType = 0;
  p.vlanCount = 0;
  p.vlan0 = 0;
  p.vlan1 = 0;
  p.tunnelDepth = 0;
}

/** Clears what describes the IP packet and its payload. */
export function resetIp(p: DecodedPacket): void {
  p.isPlain = false;
  p.result = DECODE.OK;
  p.ipVersion = 0;
  p.src0 = p.src1 = p.src2 = p.src3 = 0;
  p.dst0 = p.dst1 = p.dst2 = p.dst3 = 0;
  p.proto = 0;
  p.ttl = 0;
  p.tos = 0;
  p.ipId = 0;
  p.ipOffset = 0;
  p.ipLen = 0;
  p.ipTotalLen = 0;
  p.ipTruncated = false;
  p.ipOptionsOffset = 0;
  p.ipOptionsLen = 0;
  p.ipFlags = 0;
  p.fragOffset = 0;
  p.isFragment = false;
  p.lastFragment = undefined;
  p.l4Offset = 0;
  p.srcPort = 0;
  p.dstPort = 0;
  p.tcpFlags = 0;
  p.seq = 0;
  p.ack = 0;
  p.window = 0;
  p.tcpOptionsOffset = 0;
  p.tcpOptionsLen = 0;
  p.mss = -1;
  p.windowScale = -1;
  p.icmpType = 0;
  p.icmpCode = 0;
  p.icmpId = 0;
  p.icmpSeq = 0;
  p.payloadOffset = 0;
  p.payloadLen = 0;
  p.arpOp = 0;
  p.arpSenderMacOffset = -1;
  p.arpTargetMacOffset = -1;
}
