import type { StreamEvent } from '../../domain/stream-event.js';
import { STATE, type Connection, type Offer } from './connection.js';
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
  const { client, server } = connection;
  connection.enter(STATE.SYN_RECEIVED);
  connection.isFourWay = false;
  server.begin(answer.seq);
  server.acked = server.next;
  client.window = answer.window;
  client.acked = answer.ack;
  client.scale = connection.usesScale && answer.scale >= 0 ? answer.scale : 0;
  if (answer.hasTimestamp && client.hasTimestamp) {
    connection.usesTimestamps = true;
    server.timestamp = answer.timestamp;
    server.timestampSecs = answer.secs;
    server.hasZeroTimestamp = answer.timestamp === 0;
  } else {
    client.timestamp = server.timestamp = 0;
    client.hasZeroTimestamp = false;
  }
  server.windowEnd = (server.acked + server.window) >>> 0;
  client.windowEnd = (client.acked + client.window) >>> 0;
}
