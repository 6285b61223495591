import { TCP } from '../../domain/packet.js';
import { isAckValid, isInWindow, isResetValid, isTimestampValid, takeTimestamp } from './acceptance.js';
import { STATE, acknowledge, extendWindow } from './connection.js';
import { isAfter, isBefore } from './sequence.js';
import type { Step } from './step.js';

/** The handshake is complete, and neither side has ended. */
export function established(t: Step): void {
  if (t.has(TCP.RST)) reset(t);
  else if (t.has(TCP.FIN)) fin(t);
  else if (t.has(TCP.SYN | TCP.ACK)) synAckAgain(t);
  else if (t.has(TCP.SYN)) synAgain(t);
  else if (t.has(TCP.ACK)) {
    if (t.connection.usesTimestamps && !isTimestampValid(t)) return;
    if (!t.toServer) t.connection.isConfirmed = true;
    data(t);
  }
}

/** A reset that is believed ends the connection in any state. */
export function reset(t: Step): void {
  if (!isResetValid(t)) return;
  const { connection, own, peer } = t;
  const wasEstablished = connection.state === STATE.ESTABLISHED;
  connection.enter(STATE.CLOSED);
  if (wasEstablished) {
    peer.next = t.ack;
    own.next = (t.end + (t.toServer ? 0 : 1)) >>> 0;
    own.window = t.window * 2 ** own.scale;
  }
  if (t.has(TCP.ACK) && isAckValid(t)) acknowledge(peer, t.ack);
  acknowledge(own, t.seq);
  takeTimestamp(t);
}

/** The first FIN. */
export function fin(t: Step): void {
  const { connection, own, peer } = t;
  if (connection.usesTimestamps && !isTimestampValid(t)) return;
  if (!isAckValid(t)) {
    t.tell('fin_invalid_ack');
    return;
  }
  if (isBefore(t.seq, own.acked) || isAfter(t.end, own.windowEnd)) {
    t.tell('fin_out_of_window');
    return;
  }
  if (t.toServer && t.has(TCP.SYN)) {
    t.tell('fin_syn');
    return;
  }
  connection.enter(t.toServer ? STATE.CLOSE_WAIT : STATE.FIN_WAIT1);
  // As Suricata counts: the server's FIN is a byte, the client's is not.
  own.next = (t.end + (t.toServer ? 0 : 1)) >>> 0;
  peer.window = t.scaledWindow;
  takeTimestamp(t);
  if (isBefore(peer.next, t.ack)) peer.next = t.ack;
  if (t.has(TCP.ACK)) acknowledge(peer, t.ack);
}

function synAckAgain(t: Step): void {
  const { connection, own, peer } = t;
  if (t.toServer) t.tell('est_synack_toserver');
  else if (t.ack !== peer.acked) t.tell('est_synack_resend_with_different_ack');
  else if (t.seq !== own.first) t.tell('est_synack_resend_with_diff_seq');
  else if (connection.isConfirmed) t.tell('est_synack_resend');
}

function synAgain(t: Step): void {
  if (!t.toServer) t.tell('est_syn_toclient');
  else t.tell(t.seq === t.own.first ? 'est_syn_resend' : 'est_syn_resend_diff_seq');
}

function data(t: Step): void {
  const { connection, own, peer, seq, end } = t;
  if (peer.isProbing && t.ack === (peer.next + 1) >>> 0) t.tell('est_ack_zwp_data');
  peer.isProbing = false;
  if (!isAckValid(t)) {
    t.tell('est_invalid_ack');
    return;
  }
  if (connection.awaitsServer && !t.toServer) {
    own.window = t.window * 2 ** own.scale;
    own.windowEnd = (own.acked + own.window) >>> 0;
    connection.awaitsServer = false;
  }
  const isKeepAlive = t.length <= 1 && seq === (own.next - 1) >>> 0;
  if (!isKeepAlive && isBefore(end, own.acked) && !isLate(t)) {
    t.tell('est_pkt_before_last_ack');
    return;
  }
  if (t.length === 1 && seq === own.next && own.window === 0) {
    own.isProbing = true;
    return;
  }
  if (!isBefore(end, own.next)) {
    own.next = end;
    if (connection.isOneSided) acknowledge(own, end);
  }
  if (!isInWindow(t)) {
    t.tell('est_packet_out_of_window');
    return;
  }
  peer.window = t.scaledWindow;
  acknowledge(peer, t.ack);
  takeTimestamp(t);
  extendWindow(peer, peer.acked + peer.window + t.selectivelyAcked);
}

/** Data before the last acknowledgement that counts all the same: of one-sided connections, or never seen before. */
function isLate(t: Step): boolean {
  const { connection, own, seq } = t;
  const { isOneSided, isMidstream } = connection;
  if (isOneSided) return true;
  const canBeOneSided = t.toServer && t.settings.asyncOneside && isMidstream;
  if (canBeOneSided && (own.next === seq || own.acked === (own.first + 1) >>> 0)) {
    connection.isOneSided = true;
    return true;
  }
  return isAfter(own.acked, own.next) && isAfter(t.end, own.next);
}
