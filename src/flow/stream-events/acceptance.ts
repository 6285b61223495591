import { TCP } from '../../domain/packet.js';
import { STATE } from './connection.js';
import { isAfter, isBefore } from './sequence.js';
import type { Step } from './step.js';

/** After this many seconds an older timestamp may be one that wrapped (RFC 7323 5.5). */
const PAWS_IDLE_SECS = 24 * 86_400;

/** Whether what a packet acknowledges was sent, or lies at most a window behind. */
export function isAckValid(t: Step): boolean {
  if (!t.has(TCP.ACK)) return true;
  const { ack, peer, connection } = t;
  if (ack === peer.acked || (isAfter(ack, peer.acked) && !isAfter(ack, peer.windowEnd))) return true;
  if (isBefore(ack, peer.acked)) {
    if (peer.window === 0 || !isBefore(ack, peer.acked - peer.window)) return true;
  } else {
    if (connection.isOneSided) return true;
    // The reset that answers a SYN.
    const isRefusal = connection.state === STATE.SYN_SENT && !t.toServer && t.has(TCP.RST);
    if (isRefusal && ack === (peer.first + 1) >>> 0) return true;
  }
  t.tell('pkt_invalid_ack');
  return false;
}

/** Whether the receiver would believe a reset; that depends on its system. */
export function isResetValid(t: Step): boolean {
  const { connection, own, peer, seq } = t;
  if (connection.isLossy) return true;
  if (connection.usesTimestamps && !isTimestampValid(t)) return false;
  if (t.length > 0) t.tell('rst_with_data');
  if (t.ack !== 0 && !isAckValid(t)) {
    t.tell('rst_invalid_ack');
    return false;
  }
  if (t.isSigned) peer.wasReset = true;
  if (connection.isOneSided) return !isBefore(seq, own.next);
  switch (t.settings.policy) {
    case 'linux':
    case 'old_linux':
    case 'solaris':
      return !isBefore(t.end, own.acked) && isBefore(seq, own.next + own.window);
    default:
      return seq === own.next;
  }
}

export const isTimestampValid = (t: Step): boolean => checkTimestamp(t, false);

/** Remembers the timestamp of a packet that was taken. */
export function takeTimestamp(t: Step): void {
  if (t.connection.usesTimestamps) checkTimestamp(t, true);
}

/** Systems that take the timestamp 0. */
const TAKES_ZERO: readonly string[] = ['old_linux', 'windows', 'solaris'];

function checkTimestamp(t: Step, take: boolean): boolean {
  const { connection, own, timestamp, secs } = t;
  const { policy } = t.settings;
  if (!t.hasTimestamp) {
    // Solaris goes on without when one is missing.
    if (take && policy === 'solaris') connection.usesTimestamps = false;
    return true;
  }
  const isNext = own.next === t.seq;
  let isChecked = true;
  if (own.hasZeroTimestamp) {
    if (policy === 'linux') {
      isChecked = false;
      if (take) connection.usesTimestamps = false;
    } else if (policy === 'old_linux' || policy === 'windows') {
      if (take) own.hasZeroTimestamp = false;
      if (isNext) isChecked = false;
      if (isNext && take) own.timestamp = timestamp;
    }
  }
  if (timestamp === 0 && !TAKES_ZERO.includes(policy)) return invalid(t);
  if (!isChecked) return true;
  // As Linux does, one tick is forgiven.
  const age = (timestamp - own.timestamp + 1) | 0;
  const seenSecs = own.timestampSecs === 0 && connection.isMidstream ? secs : own.timestampSecs;
  const isStale = secs > seenSecs + PAWS_IDLE_SECS;
  const isDoubtful = age < 0 || (own.timestamp !== 0 && isStale);
  if (isDoubtful && !(isNext && isStale)) return invalid(t);
  if (take) {
    if (isNext) own.timestamp = timestamp;
    own.timestampSecs = secs;
  }
  return true;
}

function invalid(t: Step): false {
  t.tell('pkt_invalid_timestamp');
  return false;
}

/** Whether a segment brings nothing that was not sent before; told in the states after the first FIN. */
export function isRetransmission(t: Step): boolean {
  if (t.length === 0) return false;
  const { own, seq, end } = t;
  const isRepeated =
    (isBefore(seq, own.acked) && isAfter(end, own.acked)) || !isAfter(end, own.acked) || !isAfter(end, own.next);
  if (isRepeated) t.tell('pkt_retransmission');
  return isRepeated;
}

/** Whether the segment ends within the window that the other end advertised. */
export function isInWindow(t: Step): boolean {
  const { isMidstream, isOneSided } = t.connection;
  return isMidstream || isOneSided || !isAfter(t.end, t.own.windowEnd);
}
