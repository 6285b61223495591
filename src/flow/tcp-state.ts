import { BWD, FWD, TCP_STATE, type Direction } from '../domain/flow.js';
import { TCP, type DecodedPacket } from '../domain/packet.js';
import type { Columns } from './columns.js';

/** State of a flow after its first packet. */
export function firstTcpState(flags: number): number {
  if (flags & TCP.RST) return TCP_STATE.RESET;
  if ((flags & (TCP.SYN | TCP.ACK)) === TCP.SYN) return TCP_STATE.SYN_SENT;
  if (flags & TCP.SYN) return TCP_STATE.SYN_RECEIVED;
  return TCP_STATE.MIDSTREAM;
}

/**
 * Moves a flow's TCP state by one packet. ESTABLISHED is proof that the source owns its address: the server's sequence
 * number was acknowledged within what it had sent, or the server itself went on to send data. A forged handshake has
 * to guess a 32-bit number for that. Closing and reset prove nothing: `handshakePackets` says whether it came to that before.
 * The packet is not counted in the columns yet.
 */
export function nextTcpState(c: Columns, slot: number, p: DecodedPacket, direction: Direction): number {
  const state = c.tcpState[slot]!;
  const flags = p.tcpFlags;
  if (flags & TCP.RST) return state === TCP_STATE.CLOSED ? state : TCP_STATE.RESET;
  if (state === TCP_STATE.ESTABLISHED && (flags & (TCP.SYN | TCP.FIN)) === 0) return state;
  if (state === TCP_STATE.SYN_RECEIVED && completesHandshake(c, slot, p, direction)) {
    c.handshakePackets[slot] = c.packetsFwd[slot]! + c.packetsBwd[slot]! + 1;
    if ((flags & TCP.FIN) === 0) return TCP_STATE.ESTABLISHED;
  }
  if (flags & TCP.FIN) {
    c.fins[slot]! |= direction === FWD ? 1 : 2;
    if (state === TCP_STATE.RESET) return state;
    return c.fins[slot] === 3 ? TCP_STATE.CLOSED : TCP_STATE.CLOSING;
  }
  return state === TCP_STATE.SYN_SENT ? afterSyn(c, slot, p, direction) : state;
}

function afterSyn(c: Columns, slot: number, p: DecodedPacket, direction: Direction): number {
  if (direction === BWD && (p.tcpFlags & TCP.SYN) !== 0) {
    rememberServerSeq(c, slot, p);
    return TCP_STATE.SYN_RECEIVED;
  }
  // Data without an answer in between: the other direction takes another road, or packets were lost.
  const isData = (p.tcpFlags & (TCP.SYN | TCP.ACK)) === TCP.ACK;
  return isData ? TCP_STATE.MIDSTREAM : TCP_STATE.SYN_SENT;
}

export function rememberServerSeq(c: Columns, slot: number, p: DecodedPacket): void {
  c.serverSeq[slot] = (p.seq + 1) >>> 0;
}

function completesHandshake(c: Columns, slot: number, p: DecodedPacket, direction: Direction): boolean {
  if ((p.tcpFlags & (TCP.SYN | TCP.ACK)) !== TCP.ACK) return false;
  if (direction === BWD) return p.payloadLen > 0;
  return (p.ack - c.serverSeq[slot]!) >>> 0 <= c.payloadBwd[slot]!;
}
