import { TCP } from '../../domain/packet.js';
import { isResetValid } from './acceptance.js';
import { MAX_SCALE, STATE, type Connection, type Offer } from './connection.js';
import { USUAL_OFFERS, agree, apply, offerOf, receive, remember, sameOffer } from './offers.js';
import type { Step } from './step.js';

/** The SYN was sent. */
export function synSent(t: Step): void {
  if (t.has(TCP.SYN | TCP.ACK)) {
    if (t.toServer) synAckOfFourWay(t);
    else synAckOfServer(t);
    return;
  }
  if (!isEchoOf(t, t.connection.client)) {
    t.tell('pkt_invalid_timestamp');
    return;
  }
  if (t.has(TCP.RST)) refuse(t);
  else if (t.has(TCP.FIN)) return;
  else if (t.has(TCP.SYN)) {
    if (t.toServer) synAgain(t);
    else synOfServer(t);
  } else if (t.has(TCP.ACK) && t.settings.asyncOneside) goOnOneSided(t);
}

function synAckOfServer(t: Step): void {
  const { connection } = t;
  const { client } = connection;
  const earlier = connection.offers?.find((o) => t.ack === (o.seq + 1) >>> 0);
  if (earlier !== undefined && t.ack !== client.next) apply(connection, earlier);
  const expected = (client.first + 1) >>> 0;
  if (!connection.isFastOpen && !t.isFastOpen) {
    if (t.ack !== expected) {
      t.tell('3whs_synack_with_wrong_ack');
      return;
    }
  } else {
    if (t.ack !== client.next && t.ack !== expected) {
      t.tell('3whs_synack_with_wrong_ack');
      return;
    }
    if (t.ack !== client.next) {
      client.next = client.first;
      connection.ignoredData = true;
      t.tell('3whs_synack_tfo_data_ignored');
    }
    connection.isFastOpen = true;
    connection.enter(STATE.ESTABLISHED);
  }
  if (!isEchoOf(t, client)) {
    const offer = connection.offers?.find((o) => o.hasTimestamp === t.hasTimestamp && o.timestamp === t.echo);
    if (offer === undefined) {
      t.tell('pkt_invalid_timestamp');
      return;
    }
    apply(connection, offer);
  }
  connection.offers = undefined;
  receive(connection, offerOf(t));
}

/** Whether the answer echoes the timestamp of the SYN, or says nothing about it. */
function isEchoOf(t: Step, client: Connection['client']): boolean {
  if (t.toServer || !t.hasTimestamp) return true;
  if (client.hasTimestamp) return client.timestamp === 0 || t.echo === 0 || t.echo === client.timestamp;
  return client.timestamp !== 0 || t.echo === 0;
}

/** The server sent a SYN, and this answers it: "The TCP Split Handshake" (Beardsley and Qian, 2010). */
function synAckOfFourWay(t: Step): void {
  const { connection, own, peer } = t;
  if (!connection.isFourWay) t.tell('3whs_synack_in_wrong_direction');
  else if (t.ack !== (peer.first + 1) >>> 0) t.tell('4whs_synack_with_wrong_ack');
  else if (t.seq !== own.first) t.tell('4whs_synack_with_wrong_syn');
  else agree(connection, own, peer, offerOf(t));
}

function refuse(t: Step): void {
  if (!isResetValid(t)) return;
  const { connection, own, peer } = t;
  const isOwn = t.seq === own.first && t.window === 0 && t.ack === (own.first + 1) >>> 0;
  if (t.toServer && !isOwn) return;
  peer.wasReset = true;
  connection.enter(STATE.CLOSED);
  connection.offers = undefined;
}

function synOfServer(t: Step): void {
  const { connection, own } = t;
  connection.isFourWay = true;
  own.begin(t.seq);
  if (t.hasTimestamp) {
    own.timestamp = t.timestamp;
    own.hasZeroTimestamp = t.timestamp === 0;
    own.timestampSecs = t.secs;
    own.hasTimestamp = true;
  }
  connection.usesScale = t.windowScale >= 0;
  own.window = t.window;
  own.scale = Math.max(t.windowScale, 0);
}

/** The client asks again, perhaps for something else: whichever the server answers counts. */
function synAgain(t: Step): void {
  const { connection, own, peer } = t;
  const before: Offer = {
    seq: own.first,
    ack: 0,
    window: peer.window,
    scale: connection.usesScale ? peer.scale : -1,
    hasTimestamp: own.hasTimestamp,
    timestamp: own.hasTimestamp ? own.timestamp : 0,
    secs: own.timestampSecs,
  };
  const now = offerOf(t);
  if (!sameOffer(before, now) && !connection.offers?.some((o) => sameOffer(o, before)))
    remember(t, before, USUAL_OFFERS.syn, '3whs_syn_flood');
  connection.isFastOpen = t.isFastOpen;
  connection.isFourWay = false;
  apply(connection, now);
}

/** Data without an answer in between: the other direction takes another road. */
function goOnOneSided(t: Step): void {
  const { connection } = t;
  const { client, server } = connection;
  if (t.seq !== client.next) {
    t.tell('3whs_async_wrong_seq');
    return;
  }
  connection.isOneSided = true;
  connection.enter(STATE.ESTABLISHED);
  connection.offers = undefined;
  client.window = t.window;
  client.acked = t.seq;
  client.windowEnd = (client.acked + client.window) >>> 0;
  client.next = t.end;
  server.begin((t.ack - 1) >>> 0);
  server.acked = server.windowEnd = t.ack;
  if (connection.usesScale) client.scale = MAX_SCALE;
  if (t.hasTimestamp && client.hasTimestamp) {
    connection.usesTimestamps = true;
    client.timestampSecs = t.secs;
  } else {
    client.timestamp = 0;
    client.hasZeroTimestamp = false;
  }
}
