import { TCP } from '../../domain/packet.js';
import { isAckValid, isInWindow, isRetransmission, isTimestampValid, takeTimestamp } from './acceptance.js';
import { STATE, acknowledge, extendWindow, type State } from './connection.js';
import { isAfter, isBefore } from './sequence.js';
import { reset } from './established.js';
import type { Step } from './step.js';

interface Handlers {
  /** A FIN; without, it is taken as an acknowledgement. */
  fin?: ((t: Step) => void) | 'ignored';
  ack: (t: Step) => void;
}

/** The states after the first FIN share what they do with resets, SYNs and timestamps. */
function closing({ fin, ack }: Handlers): (t: Step) => void {
  return (t) => {
    const onFin = t.has(TCP.FIN) ? fin : undefined;
    if (t.has(TCP.RST)) reset(t);
    else if (onFin === 'ignored') return;
    else if (onFin === undefined && t.has(TCP.SYN)) t.tell('shutdown_syn_resend');
    else if (onFin === undefined && !t.has(TCP.ACK)) return;
    else if (t.connection.usesTimestamps && !isTimestampValid(t)) return;
    else (onFin ?? ack)(t);
  };
}

/** Takes over window, timestamp and acknowledgement of a packet. */
function take(t: Step, isNew: boolean): void {
  const { peer } = t;
  if (isNew) peer.window = t.scaledWindow;
  takeTimestamp(t);
  if (isBefore(peer.next, t.ack)) peer.next = t.ack;
  if (t.has(TCP.ACK)) acknowledge(peer, t.ack);
}

function isOutside(t: Step, from: number): boolean {
  const { own, seq } = t;
  return isBefore(seq, from) || isAfter(seq, own.acked + own.window);
}

/** The server has sent its FIN. */
const finWait1 = closing({
  fin(t) {
    const { connection, own, peer } = t;
    const fromFin = (own.next - 1) >>> 0;
    const isAck = t.has(TCP.ACK);
    const isSame = isAck && !t.toServer && t.seq === fromFin && t.ack === peer.acked;
    const isRepeated = isRetransmission(t) || isSame;
    if (!isRepeated && isOutside(t, fromFin)) {
      t.tell('fin1_fin_wrong_seq');
      return;
    }
    if (!isAckValid(t)) {
      t.tell('fin1_invalid_ack');
      return;
    }
    if (!isRepeated) connection.enter(isAck ? STATE.TIME_WAIT : STATE.CLOSING);
    const expected = isAck && t.toServer ? own.next : fromFin;
    if (t.seq === expected && !isSame) own.next = t.end;
    take(t, !isRepeated);
  },
  ack(t) {
    const { connection, own, peer, toServer } = t;
    const isRepeated = isRetransmission(t);
    if (!isAckValid(t)) {
      t.tell('fin1_invalid_ack');
      return;
    }
    const expected = toServer ? own.next : (own.next - 1) >>> 0;
    if (!isRepeated && (!toServer || t.ack === peer.next)) {
      if (!isInWindow(t)) {
        t.tell('fin1_ack_wrong_seq');
        return;
      }
      if (t.seq === expected) connection.enter(STATE.FIN_WAIT2);
      peer.window = t.scaledWindow;
    }
    if (t.seq === expected) own.next = t.end;
    take(t, false);
    extendWindow(peer, peer.acked + peer.window + t.selectivelyAcked);
  },
});

/** The server's FIN was acknowledged. */
const finWait2 = closing({
  fin(t) {
    const { connection, own, peer } = t;
    const isSame = t.seq === (own.next - 1) >>> 0 && t.ack === peer.acked;
    const isRepeated = isSame || isRetransmission(t);
    if (!isRepeated && isOutside(t, own.next)) {
      t.tell('fin2_fin_wrong_seq');
      return;
    }
    if (!isAckValid(t)) {
      t.tell('fin2_invalid_ack');
      return;
    }
    if (!isRepeated) {
      connection.enter(STATE.TIME_WAIT);
      if (t.toServer && t.seq === own.next) own.next = t.end;
    }
    take(t, !isRepeated);
  },
  ack(t) {
    const { own, peer } = t;
    const isRepeated = isRetransmission(t);
    if (!isAckValid(t)) {
      t.tell('fin2_invalid_ack');
      return;
    }
    if (!isRepeated && !isInWindow(t)) {
      t.tell('fin2_ack_wrong_seq');
      return;
    }
    if (!isRepeated) peer.window = t.scaledWindow;
    takeTimestamp(t);
    if (t.seq === own.next) own.next = t.end;
    acknowledge(peer, t.ack);
    extendWindow(peer, peer.acked + peer.window + t.selectivelyAcked);
  },
});

/** Both sides have sent their FIN, neither knows of the other's. */
const bothClosing = closing({
  ack(t) {
    const isRepeated = isRetransmission(t);
    if (t.seq !== t.own.next) t.tell('closing_ack_wrong_seq');
    else if (!isAckValid(t)) t.tell('closing_invalid_ack');
    else {
      if (!isRepeated) t.connection.enter(STATE.TIME_WAIT);
      take(t, !isRepeated);
    }
  },
});

/** The client has sent its FIN. */
const closeWait = closing({
  fin(t) {
    const isRepeated = isRetransmission(t);
    if (!isRepeated && isOutside(t, t.own.next)) t.tell('closewait_fin_out_of_window');
    else if (!isAckValid(t)) t.tell('closewait_invalid_ack');
    else {
      if (!isRepeated && !t.toServer) t.connection.enter(STATE.LAST_ACK);
      take(t, !isRepeated);
    }
  },
  ack(t) {
    const { own } = t;
    const isRepeated = isRetransmission(t);
    if (t.length > 0 && !isAfter(t.end, own.acked)) t.tell('closewait_pkt_before_last_ack');
    else if (isAfter(t.seq, own.acked + own.window)) t.tell('closewait_ack_out_of_window');
    else if (!isAckValid(t)) t.tell('closewait_invalid_ack');
    else {
      if (t.seq === own.next) own.next = t.end;
      take(t, !isRepeated);
    }
  },
});

/** Both have sent their FIN, the client first. */
const lastAck = closing({
  fin: 'ignored',
  ack(t) {
    if (!t.toServer) return;
    const { own } = t;
    const isRepeated = isRetransmission(t);
    if (!isAckValid(t)) {
      t.tell('lastack_invalid_ack');
      return;
    }
    if (!isRepeated && !isBefore(t.seq, own.next)) {
      if (!isExpected(t, own.next)) {
        t.tell('lastack_ack_wrong_seq');
        return;
      }
      t.connection.enter(STATE.CLOSED);
    }
    take(t, !isRepeated);
  },
});

/** Both have sent their FIN, the server first. */
const timeWait = closing({
  fin: 'ignored',
  ack(t) {
    const { own, toServer } = t;
    const isRepeated = isRetransmission(t);
    if (!isRepeated && !isExpected(t, toServer ? own.next : (own.next - 1) >>> 0)) {
      const isLateData = !toServer && t.length > 0 && t.seq === own.acked;
      if (!isLateData) t.tell('timewait_ack_wrong_seq');
      return;
    }
    if (!isAckValid(t)) {
      t.tell('timewait_invalid_ack');
      return;
    }
    if (!isRepeated) t.connection.enter(STATE.CLOSED);
    take(t, !isRepeated);
  },
});

/** Whether a packet is where the sender has come to, with its FIN or without. */
const isExpected = (t: Step, next: number): boolean => t.seq === next || t.seq === (next + 1) >>> 0;

export const CLOSING_STATES: Readonly<Partial<Record<State, (t: Step) => void>>> = {
  [STATE.FIN_WAIT1]: finWait1,
  [STATE.FIN_WAIT2]: finWait2,
  [STATE.CLOSING]: bothClosing,
  [STATE.CLOSE_WAIT]: closeWait,
  [STATE.LAST_ACK]: lastAck,
  [STATE.TIME_WAIT]: timeWait,
};
