import type { Direction } from '../../domain/flow.js';
import { PROTO, TCP, type DecodedPacket } from '../../domain/packet.js';

/** How a flow began, as far as it may be a probe. 0 is no probe at all. */
export const TECHNIQUE = {
  NONE: 0,
  SYN: 1,
  NULL: 2,
  FIN: 3,
  XMAS: 4,
  ACK: 5,
  MAIMON: 6,
  ODD: 7,
  UDP: 8,
  PING: 9,
} as const;

/** Names for people, by number; SYN becomes "connect" when the source completes handshakes. */
export const TECHNIQUE_NAMES = ['', 'SYN', 'NULL', 'FIN', 'Xmas', 'ACK', 'Maimon', 'odd flags', 'UDP', 'ping'] as const;

const FLAG_MASK = 0x3f;
const XMAS = TCP.FIN | TCP.PSH | TCP.URG;
/** UDP ports that traceroute counts through. */
const EPHEMERAL_FIRST = 32_768;
const TRACEROUTE_FIRST = 33_434;
const TRACEROUTE_LAST = 33_534;

/** Which kind of probe a flow's first packet may be. */
export function techniqueOf(p: DecodedPacket, direction: Direction): number {
  if (direction !== 0) return TECHNIQUE.NONE;
  switch (p.proto) {
    case PROTO.TCP:
      return tcpTechnique(p);
    case PROTO.UDP:
      return udpTechnique(p);
    case PROTO.ICMP:
      return p.icmpType === 8 || p.icmpType === 13 || p.icmpType === 17 ? TECHNIQUE.PING : TECHNIQUE.NONE;
    case PROTO.ICMPV6:
      return p.icmpType === 128 && !isMulticast(p) ? TECHNIQUE.PING : TECHNIQUE.NONE;
    default:
      return TECHNIQUE.NONE;
  }
}

function tcpTechnique(p: DecodedPacket): number {
  const flags = p.tcpFlags & FLAG_MASK;
  if (flags === TCP.SYN) return TECHNIQUE.SYN;
  if (flags === 0) return TECHNIQUE.NULL;
  if (flags === TCP.FIN) return TECHNIQUE.FIN;
  if ((flags & XMAS) === XMAS) return TECHNIQUE.XMAS;
  // Only the first segment of a connection has no ACK (RFC 9293 3.10.7), and a reset may lack it.
  if ((flags & (TCP.SYN | TCP.RST | TCP.ACK)) === 0) return TECHNIQUE.ODD;
  if ((flags & TCP.RST) !== 0 || (flags & (TCP.SYN | TCP.ACK)) === (TCP.SYN | TCP.ACK)) return TECHNIQUE.NONE;
  if ((flags & TCP.SYN) !== 0) return (flags & TCP.FIN) !== 0 ? TECHNIQUE.ODD : TECHNIQUE.NONE;
  // What looks like the middle of a server's answer is taken for one: captures begin in mid-stream.
  if (p.payloadLen > 0 || isReplyLike(p) || isToEphemeral(p)) return TECHNIQUE.NONE;
  if (flags === TCP.ACK) return TECHNIQUE.ACK;
  return flags === (TCP.FIN | TCP.ACK) ? TECHNIQUE.MAIMON : TECHNIQUE.NONE;
}

function udpTechnique(p: DecodedPacket): number {
  if (isReplyLike(p) || isMulticast(p)) return TECHNIQUE.NONE;
  return p.dstPort >= TRACEROUTE_FIRST && p.dstPort <= TRACEROUTE_LAST ? TECHNIQUE.NONE : TECHNIQUE.UDP;
}

/**
 * From a port that servers have to one that systems give out to clients (Linux from 32768 on): a connection that goes on
 * after it was forgotten, as of a server whose client was blocked. A scan of all ports shows on the others.
 */
function isToEphemeral(p: DecodedPacket): boolean {
  return p.srcPort < EPHEMERAL_FIRST && p.dstPort >= EPHEMERAL_FIRST;
}

/** From a server's port to a client's: an answer whose question was not seen. */
function isReplyLike(p: DecodedPacket): boolean {
  return p.srcPort < 1024 && p.dstPort >= 1024;
}

/** Multicast or broadcast destination (224.0.0.0/4, all ones, a last byte of 255, ff00::/8). */
export function isMulticast(p: DecodedPacket): boolean {
  if (p.ipVersion === 6) return p.dst0 >>> 24 === 0xff;
  return p.dst3 >>> 28 === 14 || (p.dst3 & 0xff) === 0xff;
}
