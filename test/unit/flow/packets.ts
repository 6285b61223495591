import { DecodedPacket, PROTO, TCP } from '../../../src/domain/packet.js';
import { parseIp } from '../../../src/util/ip.js';

export interface PacketFields {
  tsUs?: number;
  src?: string;
  dst?: string;
  srcPort?: number;
  dstPort?: number;
  proto?: number;
  flags?: number;
  seq?: number;
  ack?: number;
  payload?: number;
  icmpType?: number;
  icmpCode?: number;
  vlan?: number;
  interfaceId?: number;
}

/** A decoded packet as the decoder would hand it over. */
export function packet(f: PacketFields): DecodedPacket {
  const p = new DecodedPacket();
  const src = parseIp(f.src ?? '10.0.0.1')!;
  const dst = parseIp(f.dst ?? '10.0.0.2')!;
  p.tsUs = f.tsUs ?? 1e15;
  p.ipVersion = src.version;
  [p.src0, p.src1, p.src2, p.src3] = src.words;
  [p.dst0, p.dst1, p.dst2, p.dst3] = dst.words;
  p.proto = f.proto ?? PROTO.TCP;
  p.srcPort = f.srcPort ?? 40000;
  p.dstPort = f.dstPort ?? 80;
  p.tcpFlags = p.proto === PROTO.TCP ? (f.flags ?? TCP.ACK) : 0;
  p.seq = f.seq ?? 0;
  p.ack = f.ack ?? 0;
  p.payloadLen = f.payload ?? 0;
  p.ipLen = p.ipTotalLen = 40 + p.payloadLen;
  p.icmpType = f.icmpType ?? 0;
  p.icmpCode = f.icmpCode ?? 0;
  p.vlan0 = f.vlan ?? 0;
  p.interfaceId = f.interfaceId ?? 0;
  return p;
}

/** The same packet in the other direction. */
export function reply(f: PacketFields): PacketFields {
  return {
    ...f,
    src: f.dst ?? '10.0.0.2',
    dst: f.src ?? '10.0.0.1',
    srcPort: f.dstPort ?? 80,
    dstPort: f.srcPort ?? 40000,
  };
}
