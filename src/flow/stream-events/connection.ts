import { Coverage } from './coverage.js';
import { RecentBytes } from './recent-bytes.js';
import { isAfter } from './sequence.js';

/** States of a connection as RFC 9293 names them; those from LAST_ACK on make way for a new connection of the same ports. */
export const STATE = {
  NONE: 0,
  SYN_SENT: 1,
  SYN_RECEIVED: 2,
  ESTABLISHED: 3,
  FIN_WAIT1: 4,
  FIN_WAIT2: 5,
  TIME_WAIT: 6,
  LAST_ACK: 7,
  CLOSE_WAIT: 8,
  CLOSING: 9,
  CLOSED: 10,
} as const;
export type State = (typeof STATE)[keyof typeof STATE];

/** The largest shift of windows (RFC 7323 2.3), taken for connections whose handshake was not seen. */
export const MAX_SCALE = 14;

/** What one end sends: sequence numbers are its own, windows what the other end allows it. */
export class Side {
  /** Sequence number of its SYN. */
  first = 0;
  /** The one expected next. */
  next = 0;
  /** Up to where the other end has acknowledged. */
  acked = 0;
  /** Window that the other end last advertised, bytes. */
  window = 0;
  /** End of the furthest window advertised. */
  windowEnd = 0;
  /** Shift of the windows advertised to it. */
  scale = 0;
  /** Segments that end before this are no longer kept by anybody. */
  base = 0;
  /** Last value of the timestamp option in order, 0 without. */
  timestamp = 0;
  /** When a segment with a timestamp was last taken, seconds since the epoch. */
  timestampSecs = 0;
  hasTimestamp = false;
  /** Its handshake had the timestamp 0. */
  hasZeroTimestamp = false;
  /** The other end sent a reset. */
  wasReset = false;
  /** Sent a keep-alive that was not answered yet. */
  keepsAlive = false;
  /** Sent a byte into a window of 0 that was not answered yet. */
  isProbing = false;
  hasSent = false;
  readonly recent = new RecentBytes();
  readonly coverage = new Coverage();

  /** Its SYN has this sequence number. */
  begin(first: number): void {
    this.first = first;
    this.next = this.base = (first + 1) >>> 0;
    this.coverage.start(this.next);
  }
}

/** What a SYN or SYN+ACK asked for, while several differ and it is open which of them counts. */
export interface Offer {
  seq: number;
  ack: number;
  window: number;
  /** -1 without. */
  scale: number;
  hasTimestamp: boolean;
  timestamp: number;
  secs: number;
}

/** What is remembered of a connection to tell its oddities. */
export class Connection {
  readonly client = new Side();
  readonly server = new Side();
  state: State = STATE.NONE;
  previousState: State = STATE.NONE;
  /** The server answered the SYN with a SYN of its own. */
  isFourWay = false;
  isMidstream = false;
  /** Picked up at the SYN+ACK. */
  isFromSynAck = false;
  /** Picked up later, and the server has not sent yet. */
  awaitsServer = false;
  /** Only one side was seen. */
  isOneSided = false;
  usesTimestamps = false;
  usesScale = false;
  isFastOpen = false;
  /** The server took the SYN without the data in it. */
  ignoredData = false;
  /** The server has sent after the handshake. */
  isConfirmed = false;
  /** Data was lost on the way to the sensor. */
  isLossy = false;
  /** The flow's direction is the other way round. */
  isReversed = false;
  offers: Offer[] | undefined;

  enter(state: State): void {
    if (state === this.state) return;
    this.previousState = this.state;
    this.state = state;
  }
}

export function acknowledge(side: Side, ack: number): void {
  if (isAfter(ack, side.acked)) side.acked = ack;
}

export function extendWindow(side: Side, end: number): void {
  if (isAfter(end, side.windowEnd)) side.windowEnd = end >>> 0;
}
