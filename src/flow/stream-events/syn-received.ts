import { TCP } from '../../domain/packet.js';
import { isAckValid, isResetValid, isTimestampValid, takeTimestamp } from './acceptance.js';
import { STATE, acknowledge } from './connection.js';
import { fin } from './established.js';
import { USUAL_OFFERS, offerOf, receive, remember, sameOffer } from './offers.js';
import { isAfter } from './sequence.js';
import type { Step } from './step.js';

/** SYN and SYN+ACK were seen. */
export function synReceived(t: Step): void {
  if (t.has(TCP.RST)) {
    if (!isResetValid(t)) return;
    t.connection.enter(STATE.CLOSED);
    takeTimestamp(t);
  } else if (t.has(TCP.FIN)) fin(t);
  else if (t.has(TCP.SYN | TCP.ACK)) synAckAgain(t);
  else if (t.has(TCP.SYN)) {
    if (!t.toServer) t.tell('3whs_syn_toclient_on_syn_recv');
    else if (t.seq !== t.own.first) t.tell('3whs_syn_resend_diff_seq_on_syn_recv');
  } else if (t.has(TCP.ACK)) completes(t);
}

function synAckAgain(t: Step): void {
  const { connection, own, peer } = t;
  if (t.toServer) t.tell('3whs_synack_toserver_on_syn_recv');
  else if (t.ack !== peer.acked) t.tell('3whs_synack_resend_with_different_ack');
  else if (t.seq !== own.first) {
    const isKnown = connection.offers?.some((o) => o.window === t.window && sameOffer(o, offerOf(t)));
    if (isKnown !== true) remember(t, offerOf(t), USUAL_OFFERS.synAck, '3whs_synack_flood');
  }
}

/** The third packet of the handshake, or what comes instead. */
function completes(t: Step): void {
  const { connection } = t;
  const answered = connection.offers?.find((o) => o.seq === (t.ack - 1) >>> 0 && o.ack === t.seq);
  if (answered !== undefined) receive(connection, answered);
  if (connection.usesTimestamps && !isTimestampValid(t)) return;
  if (connection.isFourWay && !t.toServer) {
    completeFourWay(t);
    return;
  }
  const missedAck = !t.toServer && !connection.isFromSynAck && !connection.isFastOpen;
  if (missedAck && t.settings.inline) {
    const isData = t.length > 0 && t.ack === t.peer.acked && t.seq === t.own.next;
    t.tell(isData ? '3whs_ack_data_inject' : '3whs_ack_in_wrong_dir');
    return;
  }
  complete(t, missedAck);
}

function completeFourWay(t: Step): void {
  const { connection, own, peer } = t;
  if (t.seq !== own.next) t.tell('4whs_wrong_seq');
  else if (!isAckValid(t)) t.tell('4whs_invalid_ack');
  else {
    takeTimestamp(t);
    acknowledge(peer, t.ack);
    own.next = t.end;
    peer.window = t.scaledWindow;
    peer.windowEnd = (peer.acked + peer.window) >>> 0;
    connection.enter(STATE.ESTABLISHED);
  }
}

function complete(t: Step, missedAck: boolean): void {
  const { connection, settings, toServer, seq, ack } = t;
  const { client, server } = connection;
  if (seq === client.next && ack === server.next) {
    takeTimestamp(t);
    acknowledge(server, ack);
    client.next = t.end;
    server.window = t.window * 2 ** server.scale;
    server.windowEnd = (server.acked + server.window) >>> 0;
    if (connection.isMidstream) {
      client.window = t.window * 2 ** client.scale;
      client.windowEnd = (client.acked + client.window) >>> 0;
    }
  } else if (settings.asyncOneside && seq === server.next) {
    connection.isOneSided = true;
    server.next = t.end;
    server.acked = seq;
    client.window = t.window * 2 ** client.scale;
    client.acked = ack;
    takeTimestamp(t);
  } else if (seq === client.next) {
    t.tell('3whs_right_seq_wrong_ack_evasion');
    return;
  } else if (!toServer && !settings.inline && isAfter(seq, client.next) && isAfter(ack, client.acked)) {
    // Packets between the answer and this one were missed.
    takeTimestamp(t);
    acknowledge(client, ack);
    server.next = t.end;
    client.window = t.window;
    client.windowEnd = (client.acked + t.window * 2 ** client.scale) >>> 0;
    server.windowEnd = (server.acked + server.window) >>> 0;
  } else if (isAfter(seq, client.next) && !isAfter(seq, client.windowEnd) && ack === server.next) {
    takeTimestamp(t);
    client.next = t.end;
    acknowledge(server, ack);
    server.window = t.window * 2 ** server.scale;
    server.windowEnd = (server.acked + server.window) >>> 0;
  } else if ((missedAck || connection.isFastOpen) && ack === client.acked && seq === server.next) {
    server.next = t.end;
    server.window = t.window * 2 ** server.scale;
    server.windowEnd = (server.acked + server.window) >>> 0;
  } else {
    t.tell('3whs_wrong_seq_wrong_ack');
    return;
  }
  connection.enter(STATE.ESTABLISHED);
}
