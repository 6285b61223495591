import { TCP } from '../../../domain/packet.js';
import { payloadLength } from '../packet-buffers.js';
import { amongInRange, splitAmong } from '../parse/among.js';
import { inRange, parseLooseRange, parseNumber, parseRange } from '../parse/number.js';
import type { PacketTest } from '../rule.js';
import type { IpProtoTest, RuleBuilder } from './builder.js';
import type { Keyword } from './payload.js';
import { rpc } from './rpc.js';
import { own } from '../../../util/own.js';

/** A keyword that compares one number of the packet's header. */
function numeric(read: (...args: Parameters<PacketTest>) => number, max: number, parse = parseRange): Keyword {
  return (b, value) => {
    const range = parse(value, max);
    test(b, (packet, direction) => inRange(range, read(packet, direction)));
  };
}

function test(b: RuleBuilder, packetTest: PacketTest): void {
  b.needsPacket = true;
  b.rule.packetTests.push(packetTest);
}

const FLAG_BITS: Readonly<Record<string, number>> = {
  F: TCP.FIN,
  S: TCP.SYN,
  R: TCP.RST,
  P: TCP.PSH,
  A: TCP.ACK,
  U: TCP.URG,
  E: TCP.ECE,
  C: TCP.CWR,
  '1': TCP.CWR,
  '2': TCP.ECE,
  '0': 0,
};

/** Flags of the beginning and the end of a connection, and rare ones. */
const FLAG_GROUPS = [TCP.SYN | TCP.FIN | TCP.RST, TCP.URG | TCP.ECE | TCP.CWR];

function flagBits(text: string): number {
  let bits = 0;
  for (const c of text) {
    const bit = FLAG_BITS[c.toUpperCase()];
    if (bit === undefined) throw new Error(`"${c}" is not a TCP flag`);
    bits |= bit;
  }
  return bits;
}

function flags(b: RuleBuilder, value: string): void {
  const [wanted = '', ignored = '', ...rest] = value.split(',').map((p) => p.trim());
  if (rest.length > 0) throw new Error('has flags, and those that do not count, and nothing more');
  const m = /^([!+*]?)(\w+)([!+*]?)$/.exec(wanted);
  if (!m) throw new Error(`"${value}" are not TCP flags`);
  const sign = m[1] !== '' ? m[1] : m[3];
  const bits = flagBits(m[2]!);
  const mask = ~flagBits(ignored) & 255;
  // A rule about flags that begin or end a connection, or about rare ones, looks only at packets that have one of them:
  // `!S` is not for every packet without SYN. Suricata sorts packets so before it looks at rules.
  const groups = FLAG_GROUPS.filter((group) => (bits & group) !== 0);
  test(b, (packet) => {
    if (packet.proto !== 6) return false;
    for (const group of groups) if ((packet.tcpFlags & group) === 0) return false;
    const have = packet.tcpFlags & mask;
    if (sign === '+') return (have & bits) === bits;
    if (sign === '*') return (have & bits) !== 0;
    // Not none: any.
    if (sign === '!') return bits === 0 ? have !== 0 : (have & bits) !== bits;
    return have === bits;
  });
}

const PROTO_IGMP = 2;

const IP_OPTIONS: Readonly<Record<string, number>> = {
  eol: 0,
  nop: 1,
  sec: 130,
  rr: 7,
  ts: 68,
  lsrr: 131,
  esec: 133,
  satid: 136,
  ssrr: 137,
};

function ipOptions(b: RuleBuilder, value: string): void {
  const wanted = own(IP_OPTIONS, value.toLowerCase());
  const any = value.toLowerCase() === 'any';
  if (wanted === undefined && !any) throw new Error(`"${value}" is not an IP option`);
  test(b, (packet) => {
    const end = packet.ipOptionsOffset + packet.ipOptionsLen;
    if (packet.ipOptionsLen === 0) return false;
    if (any) return true;
    for (let at = packet.ipOptionsOffset; at < end;) {
      const type = packet.data[at]!;
      if (type === wanted) return true;
      if (type === 0) return false;
      const length = type === 1 ? 1 : (packet.data[at + 1] ?? 0);
      if (length === 0) return false;
      at += length;
    }
    return false;
  });
}

function fragmentBits(b: RuleBuilder, value: string): void {
  const m = /^([!+*]?)([MDR]+)([!+*]?)$/i.exec(value.trim());
  if (!m) throw new Error(`"${value}" are not fragment bits`);
  // Behind the bits a sign means nothing to Suricata 7.
  const sign = m[1];
  let bits = 0;
  for (const c of m[2]!.toUpperCase()) bits |= c === 'R' ? 4 : c === 'D' ? 2 : 1;
  test(b, (packet) => {
    if (packet.ipVersion !== 4) return false;
    // All of them and another one.
    if (sign === '+') return (packet.ipFlags & bits) === bits && packet.ipFlags !== bits;
    if (sign === '*') return (packet.ipFlags & bits) !== 0;
    if (sign === '!') return (packet.ipFlags & bits) !== bits;
    return packet.ipFlags === bits;
  });
}

const IP_PROTOS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  'ipv6-icmp': 58,
  ospf: 89,
  pim: 103,
  sctp: 132,
};

/** Unwanted protocols are any number, and one range may be open upwards and one downwards. */
function fitTogether(a: IpProtoTest, b: IpProtoTest): boolean {
  if (a.sign === '=' || b.sign === '=' || (a.sign === b.sign && a.sign !== '!=')) return false;
  if (a.sign === '!=' || b.sign === '!=') return true;
  return a.sign === '<' ? b.number < a.number : a.number < b.number;
}

function ipProto(b: RuleBuilder, value: string): void {
  const m = /^([!<>]?)\s*(\S+)$/.exec(value.trim());
  const number = m ? (own(IP_PROTOS, m[2]!.toLowerCase()) ?? parseNumber(m[2]!, 0, 255)) : NaN;
  if (!m || Number.isNaN(number)) throw new Error(`"${value}" is not an IP protocol`);
  if (b.isAboutProtocol || (b.rule.ipProtos !== undefined && b.ipProtos.length === 0))
    throw new Error(`is for rules about any protocol, not ${b.rule.proto}`);
  const sign = m[1] === '!' ? '!=' : m[1] === '' ? '=' : (m[1] as '<' | '>');
  b.ipProtos.push({ sign, number });
  if (!b.ipProtos.slice(0, -1).every((before) => fitTogether(before, { sign, number })))
    throw new Error('is given before, and no protocol is both');
  // Rules for other protocols than their own are not even looked at.
  if (sign === '=') b.rule.ipProtos = [number];
  test(b, (packet) => packet.ipVersion > 0 && inRange({ operator: sign, a: number, b: 0 }, packet.proto));
}

const isIcmp = (proto: number): boolean => proto === 1 || proto === 58;
const hasEcho = (type: number, proto: number): boolean =>
  proto === 58 ? type === 128 || type === 129 : type === 0 || type === 8 || (type >= 13 && type <= 18);

const acknowledgement = numeric((p) => (p.proto === 6 ? p.ack >>> 0 : NaN), 0xffffffff);
const sequence = numeric((p) => (p.proto === 6 ? p.seq >>> 0 : NaN), 0xffffffff);

const windowSize: Keyword = (b, value) => {
  const negated = value.trim().startsWith('!');
  const wanted = parseNumber(value.replace('!', ''), 0, 65535);
  test(b, (p) => p.proto === 6 && (p.window === wanted) !== negated);
};

/** Keywords that test the packet's header. */
export const HEADER_KEYWORDS: Readonly<Record<string, Keyword>> = {
  flags,
  'tcp.flags': flags,
  ttl: numeric((p) => (p.ipVersion > 0 ? p.ttl : NaN), 255),
  tos(b, value) {
    const m = /^(!?)\s*(x?)([0-9a-fA-F]+)$/.exec(value.trim());
    if (!m) throw new Error(`"${value}" is not a type of service`);
    const wanted = parseInt(m[3]!, m[2] === 'x' ? 16 : 10);
    if (wanted > 255) throw new Error(`${m[3]!} is not between 0 and 255`);
    test(b, (p) => p.ipVersion === 4 && (p.tos === wanted) !== (m[1] === '!'));
  },
  id: numeric((p) => (p.ipVersion === 4 ? p.ipId : NaN), 65535),
  ack: acknowledgement,
  'tcp.ack': acknowledgement,
  seq: sequence,
  'tcp.seq': sequence,
  window: windowSize,
  'tcp.window': windowSize,
  'tcp.mss': numeric((p) => (p.proto === 6 && p.mss >= 0 ? p.mss : NaN), 65535),
  'tcp.wscale': numeric((p) => (p.proto === 6 && p.windowScale >= 0 ? p.windowScale : NaN), 255),
  'vlan.layers': numeric((p) => p.vlanCount, 255),
  'vlan.id'(b, value) {
    const { range, among } = splitAmong(value);
    const ranges = [parseRange(range, 4095)];
    test(b, (p) => amongInRange(among, ranges, [p.vlan0, p.vlan1].slice(0, p.vlanCount)));
  },
  'igmp.type': numeric((p) => (p.proto === PROTO_IGMP && p.payloadLen > 0 ? p.data[p.payloadOffset]! : NaN), 255),
  dsize(b, value) {
    const range = parseRange(value, 65535);
    b.payloadSize = range;
    // What is not of a size has one: a packet without payload is left out.
    const least = range.operator === '!=' ? 1 : 0;
    test(b, (p) => payloadLength(p) >= least && inRange(range, payloadLength(p)));
  },
  itype: numeric((p) => (isIcmp(p.proto) ? p.icmpType : NaN), 255),
  icode: numeric((p) => (isIcmp(p.proto) ? p.icmpCode : NaN), 255),
  icmp_id: numeric((p) => (isIcmp(p.proto) && hasEcho(p.icmpType, p.proto) ? p.icmpId : NaN), 65535),
  icmp_seq: numeric((p) => (isIcmp(p.proto) && hasEcho(p.icmpType, p.proto) ? p.icmpSeq : NaN), 65535),
  fragbits: fragmentBits,
  fragoffset: numeric((p) => (p.ipVersion > 0 ? p.fragOffset / 8 : NaN), 65535, parseLooseRange),
  ipopts: ipOptions,
  ip_proto: ipProto,
  sameip: (b) => {
    test(b, (p) => p.src3 === p.dst3 && p.src2 === p.dst2 && p.src1 === p.dst1 && p.src0 === p.dst0);
  },
  rpc,
  'icmpv6.mtu': numeric((p) => (p.proto === 58 && p.icmpType === 2 ? p.icmpId * 65536 + p.icmpSeq : NaN), 0xffffffff),
};
