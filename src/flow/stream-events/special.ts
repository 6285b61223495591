import { TCP } from '../../domain/packet.js';
import { STATE } from './connection.js';
import { isAfter, isBefore } from './sequence.js';
import type { Step } from './step.js';

/** Windows below this may shrink by what was acknowledged and no byte more. */
const SMALL_WINDOW = 1024;
const WINDOW_SLACK = 32;

/** True for packets that change nothing: keep-alives, window probes and their answers, and acknowledgements out of date. */
export function changesNothing(t: Step): boolean {
  if (isKeepAlive(t)) {
    t.own.keepsAlive = true;
    return true;
  }
  const answersKeepAlive = isAnswerToKeepAlive(t);
  if (answersKeepAlive) t.peer.keepsAlive = false;
  t.own.keepsAlive = false;
  if (answersKeepAlive) return true;
  if (isAnswerToProbe(t)) {
    t.peer.isProbing = false;
    return true;
  }
  if (isLastAck(t) || isWindowUpdate(t)) return false;
  return isBadWindowUpdate(t) || isOutdatedAck(t);
}

/** RFC 9293 3.8.4: the byte before the next one once more, or none. */
function isKeepAlive(t: Step): boolean {
  return t.length <= 1 && t.isOrdinary && t.ack === t.peer.acked && t.seq === (t.own.next - 1) >>> 0;
}

function isAnswerToKeepAlive(t: Step): boolean {
  const { own, peer } = t;
  return (
    t.length === 0 &&
    t.isOrdinary &&
    t.window !== 0 &&
    t.scaledWindow === peer.window &&
    peer.keepsAlive &&
    t.ack === peer.acked &&
    t.seq === own.next
  );
}

const isPureAck = (t: Step): boolean =>
  t.connection.state >= STATE.ESTABLISHED && t.length === 0 && t.isOrdinary && t.has(TCP.ACK);

function isAnswerToProbe(t: Step): boolean {
  const { own, peer } = t;
  return (
    isPureAck(t) && peer.isProbing && t.window === 0 && peer.window === 0 && t.seq === own.next && t.ack === peer.acked
  );
}

/** The acknowledgement of both FINs. */
function isLastAck(t: Step): boolean {
  const { state } = t.connection;
  if (state !== STATE.TIME_WAIT && state !== STATE.CLOSE_WAIT && state !== STATE.LAST_ACK) return false;
  const isEnd = t.seq === (t.own.next + 1) >>> 0 && t.ack === (t.peer.next + 1) >>> 0;
  return isEnd && t.length === 0 && t.flags === TCP.ACK;
}

function isWindowUpdate(t: Step): boolean {
  const { own, peer } = t;
  return (
    t.connection.state >= STATE.ESTABLISHED &&
    t.length === 0 &&
    t.isOrdinary &&
    t.window !== 0 &&
    t.scaledWindow !== peer.window &&
    t.ack === peer.acked &&
    t.seq === own.next
  );
}

/**
 * A forged packet that acknowledges what was not sent and shrinks the window by more than that explains, so that the true
 * packets then seem to lie outside of it.
 */
function isBadWindowUpdate(t: Step): boolean {
  const { own, peer, connection } = t;
  if (connection.state < STATE.ESTABLISHED || connection.state === STATE.CLOSED || !t.isOrdinary) return false;
  const window = t.scaledWindow;
  const shrunkBy = peer.window - window;
  if (shrunkBy <= t.length || !isAfter(t.ack, peer.next) || !isAfter(t.seq, own.next)) return false;
  const explained = ((t.ack - peer.acked) >>> 0) + (window > SMALL_WINDOW ? WINDOW_SLACK : 0);
  if (shrunkBy <= explained) return false;
  t.tell('pkt_bad_window_update');
  return true;
}

function isOutdatedAck(t: Step): boolean {
  const { own, peer } = t;
  return isPureAck(t) && t.seq === own.next && isBefore(t.ack, peer.acked) && t.selectivelyAcked === 0;
}
