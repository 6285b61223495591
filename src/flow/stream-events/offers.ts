import type { StreamEvent } from '../../domain/stream-event.js';
import { STATE, type Connection, type Offer, type Side } from './connection.js';
import type { Step } from './step.js';

/** Different SYNs or SYN+ACKs of one connection that are no flood: Suricata's `max-syn-queued`, `max-synack-queued`. */
export const USUAL_OFFERS = { syn: 10, synAck: 5 } as const;

export function offerOf(t: Step): Offer {
  return {
    seq: t.seq,
    ack: t.ack,
    window: t.window,
    scale: t.windowScale,
    hasTimestamp: t.hasTimestamp,
    timestamp: t.timestamp,
    secs: t.secs,
  };
}

export const sameOffer = (a: Offer, b: Offer): boolean =>
  a.seq === b.seq && a.hasTimestamp === b.hasTimestamp && a.timestamp === b.timestamp;

export function remember(t: Step, offer: Offer, usual: number, flood: StreamEvent): void {
  const offers = (t.connection.offers ??= []);
  if (offers.length >= usual) {
    t.tell(flood);
    return;
  }
  offers.push(offer);
}

/** Takes over what a SYN of the client asks for. */
export function apply(connection: Connection, offer: Offer): void {
  const { client, server } = connection;
  if (client.first !== offer.seq) client.begin(offer.seq);
  if (offer.hasTimestamp) {
    client.timestamp = offer.timestamp;
    client.timestampSecs = offer.secs;
    client.hasTimestamp = true;
    client.hasZeroTimestamp ||= offer.timestamp === 0;
  }
  connection.usesScale ||= offer.scale >= 0;
  server.scale = Math.max(offer.scale, 0);
  server.window = offer.window;
}

/** The server answers: both sides know where they begin. */
export function receive(connection: Connection, answer: Offer): void {
  connection.isFourWay = false;
  agree(connection, connection.server, connection.client, answer);
}

/** A SYN+ACK of `own` settles where both sides begin and what they use. */
export function agree(connection: Connection, own: Side, peer: Side, answer: Offer): void {
  connection.enter(STATE.SYN_RECEIVED);
  own.begin(answer.seq);
  own.acked = own.next;
  peer.window = answer.window;
  peer.acked = answer.ack;
  peer.scale = connection.usesScale && answer.scale >= 0 ? answer.scale : 0;
  if (answer.hasTimestamp && peer.hasTimestamp) {
    connection.usesTimestamps = true;
    own.timestamp = answer.timestamp;
    own.timestampSecs = answer.secs;
    own.hasZeroTimestamp = answer.timestamp === 0;
  } else {
    own.timestamp = peer.timestamp = 0;
    peer.hasZeroTimestamp = false;
  }
  own.windowEnd = (own.acked + own.window) >>> 0;
  peer.windowEnd = (peer.acked + peer.window) >>> 0;
}
