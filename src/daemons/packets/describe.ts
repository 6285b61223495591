import type { PacketDetail, PacketLayer, PacketSummary } from '../../contract/http.js';
import { createDecoder } from '../../decode/index.js';
import { DECODE, DecodedPacket, LINK, PROTO, TCP, type PacketBlock } from '../../domain/packet.js';
import { formatIpWords } from '../../util/ip.js';
import type { PacketPlace } from './packet-index.js';

const PROTO_NAMES = new Map(Object.entries(PROTO).map(([name, number]) => [number as number, name.toLowerCase()]));
const TCP_LETTERS = Object.entries(TCP);
const ARP_OPERATIONS = new Map([
  [1, 'who has'],
  [2, 'is at'],
]);
const RESULTS: Readonly<Record<number, string>> = {
  [DECODE.TRUNCATED]: 'cut short',
  [DECODE.UNSUPPORTED]: 'not decoded',
  [DECODE.MALFORMED]: 'malformed',
  [DECODE.TOO_DEEP]: 'too many headers',
};

const hex = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
const mac = (data: Uint8Array, at: number): string =>
  at < 0 || at + 6 > data.length ? '' : (hex(data.subarray(at, at + 6)).match(/../g) ?? []).join(':');

function flagsOf(flags: number): string {
  return TCP_LETTERS.filter(([, bit]) => (flags & bit) !== 0)
    .map(([name]) => name)
    .join(' ');
}

function protocolOf(packet: DecodedPacket): string {
  if (packet.arpOp > 0) return 'arp';
  if (packet.ipVersion === 0) return `0x${packet.etherType.toString(16).padStart(4, '0')}`;
  return PROTO_NAMES.get(packet.proto) ?? `ip ${packet.proto}`;
}

function infoOf(packet: DecodedPacket): string {
  const parts: string[] = [];
  if (packet.arpOp > 0) parts.push(ARP_OPERATIONS.get(packet.arpOp) ?? `operation ${packet.arpOp}`);
  else if (packet.isFragment && packet.fragOffset > 0) parts.push(`fragment at ${packet.fragOffset}`);
  else if (packet.proto === PROTO.TCP)
    parts.push(flagsOf(packet.tcpFlags), `seq ${packet.seq}`, `ack ${packet.ack}`, `window ${packet.window}`);
  else if (packet.proto === PROTO.ICMP || packet.proto === PROTO.ICMPV6)
    parts.push(`type ${packet.icmpType} code ${packet.icmpCode}`);
  if (packet.ipVersion > 0 && packet.payloadLen > 0) parts.push(`${packet.payloadLen} bytes`);
  const trouble = RESULTS[packet.result];
  if (trouble !== undefined) parts.push(trouble);
  return parts.filter((part) => part !== '').join(', ');
}

/** Turns the bytes of stored packets into what people read. */
export interface PacketDescriber {
  summary(bytes: Uint8Array, place: PacketPlace, number: number): PacketSummary;
  detail(bytes: Uint8Array, place: PacketPlace, number: number): PacketDetail;
}

export function createPacketDescriber(): PacketDescriber {
  const decoder = createDecoder({});
  const packet = new DecodedPacket();

  function decode(data: Uint8Array, { tsUs, capLen, wireLen, linkType }: PacketPlace): DecodedPacket {
    const block: PacketBlock = {
      data,
      count: 1,
      offset: Int32Array.of(0),
      capLen: Int32Array.of(Math.min(capLen, data.length)),
      wireLen: Int32Array.of(wireLen),
      tsUs: Float64Array.of(tsUs),
      linkType,
      interfaceId: 0,
    };
    decoder.decode(block, 0, packet);
    return packet;
  }

  function summary(bytes: Uint8Array, place: PacketPlace, number: number): PacketSummary {
    const p = decode(bytes, place);
    const isIp = p.ipVersion > 0 || p.arpOp > 0;
    const address = (version: number, words: readonly [number, number, number, number]): string =>
      formatIpWords(version === 6 ? 6 : 4, ...words);
    const hasPorts = p.proto === PROTO.TCP || p.proto === PROTO.UDP || p.proto === PROTO.SCTP;
    return {
      number,
      tsUs: Math.round(place.tsUs),
      wireLen: place.wireLen,
      capLen: place.capLen,
      src: isIp ? address(p.ipVersion, [p.src0, p.src1, p.src2, p.src3]) : mac(p.data, p.srcMacOffset),
      dst: isIp
        ? address(p.ipVersion, [p.dst0, p.dst1, p.dst2, p.dst3])
        : mac(p.data, p.srcMacOffset < 6 ? -1 : p.srcMacOffset - 6),
      ...(isIp && hasPorts ? { srcPort: p.srcPort, dstPort: p.dstPort } : {}),
      proto: protocolOf(p),
      info: infoOf(p),
    };
  }

  return {
    summary,
    detail: (bytes, place, number) => ({
      ...summary(bytes, place, number),
      layers: layersOf(packet, place),
      hex: hex(bytes),
    }),
  };
}

type Fields = Record<string, string | number>;
function layer(name: string, offset: number, length: number, fields: Fields): PacketLayer {
  return {
    name,
    offset,
    length: Math.max(0, length),
    fields: Object.entries(fields).map(([field, value]) => ({ name: field, value: String(value) })),
  };
}

/** The headers of a decoded packet, outermost first; of tunnels the innermost packet. */
function layersOf(p: DecodedPacket, { linkType }: PacketPlace): PacketLayer[] {
  const layers: PacketLayer[] = [];
  const ipStart = p.ipVersion > 0 ? p.ipOffset : p.capLen;
  const linkName = Object.entries(LINK).find(([, number]) => number === linkType)?.[0] ?? `link type ${linkType}`;
  layers.push(
    layer(linkName.toLowerCase(), 0, p.arpOp > 0 ? 14 : ipStart, {
      ...(p.srcMacOffset < 0 ? {} : { source: mac(p.data, p.srcMacOffset) }),
      ...(p.srcMacOffset < 6 ? {} : { destination: mac(p.data, p.srcMacOffset - 6) }),
      ...(p.etherType > 0 ? { 'ether type': `0x${p.etherType.toString(16).padStart(4, '0')}` } : {}),
      ...(p.vlanCount > 0 ? { vlan: p.vlan0 & 0xfff } : {}),
      ...(p.tunnelDepth > 0 ? { tunnels: p.tunnelDepth } : {}),
    }),
  );
  if (p.arpOp > 0) {
    const fields = {
      operation: p.arpOp,
      sender: mac(p.data, p.arpSenderMacOffset),
      target: mac(p.data, p.arpTargetMacOffset),
    };
    return [...layers, layer('arp', 14, p.capLen - 14, fields)];
  }
  if (p.ipVersion === 0) return layers;
  layers.push(
    layer(p.ipVersion === 6 ? 'ipv6' : 'ipv4', p.ipOffset, p.l4Offset - p.ipOffset, {
      source: formatIpWords(p.ipVersion, p.src0, p.src1, p.src2, p.src3),
      destination: formatIpWords(p.ipVersion, p.dst0, p.dst1, p.dst2, p.dst3),
      protocol: p.proto,
      ttl: p.ttl,
      length: p.ipTotalLen,
      ...(p.ipVersion === 4 ? { id: p.ipId } : {}),
      ...(p.isFragment ? { 'fragment offset': p.fragOffset } : {}),
    }),
  );
  if (p.isFragment && p.fragOffset > 0) return layers;
  const headerBytes = p.payloadOffset - p.l4Offset;
  if (p.proto === PROTO.TCP) {
    layers.push(
      layer('tcp', p.l4Offset, headerBytes, {
        'source port': p.srcPort,
        'destination port': p.dstPort,
        flags: flagsOf(p.tcpFlags),
        seq: p.seq,
        ack: p.ack,
        window: p.window,
        ...(p.mss >= 0 ? { mss: p.mss } : {}),
        ...(p.windowScale >= 0 ? { 'window scale': p.windowScale } : {}),
      }),
    );
  } else if (p.proto === PROTO.UDP || p.proto === PROTO.SCTP) {
    const fields = { 'source port': p.srcPort, 'destination port': p.dstPort };
    layers.push(layer(p.proto === PROTO.UDP ? 'udp' : 'sctp', p.l4Offset, headerBytes, fields));
  } else if (p.proto === PROTO.ICMP || p.proto === PROTO.ICMPV6) {
    layers.push(layer('icmp', p.l4Offset, headerBytes, { type: p.icmpType, code: p.icmpCode }));
  }
  if (p.payloadLen > 0) layers.push(layer('payload', p.payloadOffset, p.payloadLen, { bytes: p.payloadLen }));
  return layers;
}
