import { TCP } from '../../domain/packet.js';
import { MAX_SCALE, STATE } from './connection.js';
import { apply, offerOf } from './offers.js';
import type { Step } from './step.js';

/** A packet of no connection. */
export function none(t: Step): void {
  const { settings } = t;
  if (t.has(TCP.RST)) t.tell('rst_but_no_session');
  else if (t.has(TCP.FIN)) {
    if (!settings.midstream || t.length === 0) t.tell('fin_but_no_session');
    else pickUp(t);
  } else if (t.has(TCP.SYN | TCP.ACK)) {
    if (settings.midstream || settings.asyncOneside) pickUpAtSynAck(t);
  } else if (t.has(TCP.SYN)) openWithSyn(t);
  else if (t.has(TCP.ACK) && settings.midstream) pickUp(t);
}

function openWithSyn(t: Step): void {
  const { connection, own } = t;
  connection.enter(STATE.SYN_SENT);
  connection.isOneSided = t.settings.asyncOneside;
  own.begin(t.seq);
  apply(connection, offerOf(t));
  if (t.isFastOpen) {
    connection.isFastOpen = true;
    own.next = (own.next + t.length) >>> 0;
    own.coverage.start(own.next);
  }
}

/** Connections whose handshake was not seen begin with what they show. */
function pickUp(t: Step): void {
  const { connection, own, peer } = t;
  connection.enter(t.has(TCP.FIN) ? STATE.FIN_WAIT1 : STATE.ESTABLISHED);
  connection.isMidstream = connection.awaitsServer = true;
  connection.isOneSided = t.settings.asyncOneside;
  own.scale = peer.scale = MAX_SCALE;
  own.begin((t.seq - 1) >>> 0);
  own.acked = t.seq;
  own.next = (t.end + (t.has(TCP.FIN) ? 1 : 0)) >>> 0;
  own.window = t.window * 2 ** MAX_SCALE;
  own.windowEnd = (own.acked + own.window) >>> 0;
  peer.begin((t.ack - 1) >>> 0);
  peer.acked = peer.windowEnd = t.ack;
  pickUpTimestamps(t);
}

function pickUpAtSynAck(t: Step): void {
  const { connection, own, peer } = t;
  connection.enter(STATE.SYN_RECEIVED);
  connection.isMidstream = connection.isFromSynAck = true;
  connection.isOneSided = t.settings.asyncOneside;
  own.begin(t.seq);
  own.acked = t.seq;
  own.window = t.window;
  own.windowEnd = (own.acked + own.window) >>> 0;
  peer.begin((t.ack - 1) >>> 0);
  peer.acked = t.ack;
  if (t.windowScale >= 0) {
    peer.scale = t.windowScale;
    own.scale = MAX_SCALE;
  }
  pickUpTimestamps(t);
}

function pickUpTimestamps(t: Step): void {
  if (!t.hasTimestamp) return;
  const { connection, own, peer } = t;
  connection.usesTimestamps = true;
  own.timestamp = t.timestamp;
  own.timestampSecs = t.secs;
  own.hasZeroTimestamp = t.timestamp === 0;
  peer.timestamp = t.echo;
  peer.hasZeroTimestamp = t.echo === 0;
}
