import type { DestinationSettings } from './settings.js';
import { LANES, type LaneName, type Position } from './spool/cursor.js';

/** The receiver confirmed a run of events. */
export interface Receipt {
  atMs: number;
  events: number;
  /** Refused by the receiver for good. */
  rejected: number;
  /** How it was confirmed, in words. */
  how: string;
  /** From the first event of the run being sent to the confirmation, milliseconds. */
  tookMs: number;
  replay: boolean;
}

/** What became of an event that was read for a destination but not sent as itself. */
export type Fate = 'dropped' | 'merged' | 'dead';

const MAX_RECEIPTS = 1000;
const MAX_FATES = 20_000;

interface Kept {
  receipt: Receipt;
  from: Position | undefined;
  to: Position | undefined;
}

/** What a destination knows of its newest confirmations; bounded, in memory. */
export class ReceiptBook {
  private readonly kept: Kept[] = [];
  private readonly fates = new Map<string, Fate>();

  /** @param span the positions before and after; absent for a replay. */
  add(receipt: Receipt, span?: { from: Position; to: Position }): void {
    this.kept.push({ receipt, from: span?.from, to: span?.to });
    if (this.kept.length > MAX_RECEIPTS) this.kept.splice(0, this.kept.length - MAX_RECEIPTS);
  }

  /** Newest first. */
  list(limit: number): Receipt[] {
    return this.kept
      .slice(-limit)
      .reverse()
      .map((k) => k.receipt);
  }

  /** The confirmation of this place in the spool, if it is among the newest. */
  covering(lane: LaneName, seq: number): Receipt | undefined {
    return this.kept.find((k) => k.from && k.to && k.from[lane] <= seq && seq < k.to[lane])?.receipt;
  }

  note(eventId: string, fate: Fate): void {
    if (this.fates.size >= MAX_FATES) {
      const oldest = this.fates.keys().next().value;
      if (oldest !== undefined) this.fates.delete(oldest);
    }
    this.fates.set(eventId, fate);
  }

  fateOf(eventId: string): Fate | undefined {
    return this.fates.get(eventId);
  }
}

/** True when the position `to` is past `from` in any lane. */
export function hasMoved(from: Position, to: Position): boolean {
  return LANES.some((lane) => to[lane] > from[lane]);
}

/** How this destination's confirmations come about, for people. */
export function howConfirmed(settings: DestinationSettings, guarantee: 'at-least-once' | 'best-effort'): string {
  if (guarantee === 'best-effort') return 'handed over; this way has no confirmation';
  switch (settings.protocol) {
    case 'tcp':
    case 'tls':
      return 'the receiver read to the end and closed its side cleanly';
    case 'relp':
    case 'relp-tls':
      return 'the receiver acknowledged each message (RELP)';
    case 'hec':
      return settings.options.ack === 'off' ? 'HTTP 200 of the collector' : 'the collector, and its indexer if it can';
    case 'bulk':
      return 'the status of each document';
    case 'otlp':
    case 'webhook':
      return 'HTTP 2xx';
    case 'nats':
      return 'the stream acknowledged each message';
    case 'file':
      return 'fdatasync';
    case 'udp':
    case 'stdout':
      return 'handed over; this way has no confirmation';
  }
}
