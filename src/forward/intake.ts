import type { SiemEvent } from '../domain/siem-event.js';
import { foldAlerts, TokenBucket } from './rate-limit.js';
import type { ReceiptBook } from './receipts.js';
import type { DestinationSettings } from './settings.js';
import { Slices } from './slices.js';
import type { LaneName, Position } from './spool/cursor.js';
import type { Consumer } from './spool/consumer.js';
import type { Message } from './transports/transport.js';

const URGENT: readonly LaneName[] = ['first'];
const BACKLOG: readonly LaneName[] = ['normal', 'low'];

/** A message, or why there can be none. */
export type Prepared = Message | { reason: string };

export interface IntakeDeps {
  consumer: Consumer;
  /** How long a small batch may wait for company, milliseconds. */
  lingerMs: number;
  wants(event: SiemEvent): boolean;
  toMessage(event: SiemEvent): Prepared;
  receipts: ReceiptBook;
  counts: { filtered: number; merged: number; dropped: number };
  onGap(destination: string, dropped: number, cause: string, fromMs?: number, toMs?: number): void;
  /** Sleeps until the time is over or something happens. */
  wait(ms: number): Promise<void>;
  /** True when nothing should be waited for: the destination stops, or the process is ending. */
  isHurried(): boolean;
}

/** What comes to a destination out of the spool: urgent events first, the backlog as far as the rate limit allows. */
export class Intake {
  private readonly settings: DestinationSettings;
  private readonly deps: IntakeDeps;
  private readonly bucket: TokenBucket | undefined;
  /** Read from the backlog lanes, waiting for the rate limit; a commit must not pass them. */
  private held: SiemEvent[] = [];
  private heldFrom: Position;
  /** Of `held`, what is formatted already. */
  private readonly prepared = new Map<SiemEvent, Prepared>();
  /** Time of the oldest event that was read and not committed; 0 = none. */
  oldestTsMs = 0;

  constructor(settings: DestinationSettings, deps: IntakeDeps) {
    this.settings = settings;
    this.deps = deps;
    const limit = settings.options.rate_limit;
    this.bucket =
      limit && new TokenBucket(limit.per_second, limit.burst ?? Math.ceil(limit.per_second), performance.now());
    this.heldFrom = deps.consumer.position();
  }

  /** The next events to deliver; undefined when there are none now. */
  async next(): Promise<SiemEvent[] | undefined> {
    const { consumer } = this.deps;
    const { events: max, bytes: maxBytes } = this.settings.options.batch;
    if (consumer.unread(URGENT) > 0) return this.filtered(await consumer.read(URGENT, max, maxBytes));
    if (this.held.length === 0 && consumer.unread(BACKLOG) > 0) {
      await this.linger(max);
      this.heldFrom = consumer.position();
      const events = this.filtered(await consumer.read(BACKLOG, max, maxBytes));
      this.held = this.bucket && this.settings.options.rate_limit?.over === 'aggregate' ? this.fold(events) : events;
      if (this.held.length === 0) return [];
    }
    return this.held.length > 0 ? this.limited() : undefined;
  }

  /** The message of an event that {@link next} gave. */
  messageOf(event: SiemEvent): Prepared {
    return this.prepared.get(event) ?? this.deps.toMessage(event);
  }

  /** The messages of what {@link next} gave are on their way. */
  delivered(): void {
    this.prepared.clear();
  }

  /** Reads and formats the next batch while the receiver is waited for. */
  async readAhead(): Promise<void> {
    const { consumer, lingerMs } = this.deps;
    const isFree = this.held.length === 0 && !this.bucket && lingerMs === 0 && !this.deps.isHurried();
    if (!isFree || consumer.unread(URGENT) > 0 || consumer.unread(BACKLOG) === 0) return;
    const { events: max, bytes: maxBytes } = this.settings.options.batch;
    this.heldFrom = consumer.position();
    this.held = this.filtered(await consumer.read(BACKLOG, max, maxBytes));
    const slices = new Slices();
    for (const event of this.held) {
      if (slices.isOver()) await slices.next();
      this.prepared.set(event, this.deps.toMessage(event));
    }
  }

  /** Up to where everything read has been delivered. */
  position(): Position {
    const position = this.deps.consumer.position();
    if (this.held.length > 0) {
      position.normal = this.heldFrom.normal;
      position.low = this.heldFrom.low;
    } else {
      this.oldestTsMs = 0;
    }
    return position;
  }

  /** Forgets what was read: it will be read again. */
  reset(): void {
    this.held = [];
    this.prepared.clear();
  }

  /** Milliseconds until the rate limit lets the next event through; undefined when it holds none back. */
  waitMs(): number | undefined {
    return this.held.length > 0 ? this.bucket?.waitMs() : undefined;
  }

  private filtered(result: { events: SiemEvent[]; lost: number }): SiemEvent[] {
    const { counts } = this.deps;
    if (result.lost > 0) {
      counts.dropped += result.lost;
      this.deps.onGap(this.settings.name, result.lost, 'spool_limit');
    }
    const first = result.events[0];
    if (first && this.oldestTsMs === 0) this.oldestTsMs = first.tsMs;
    const wanted = result.events.filter(this.deps.wants);
    counts.filtered += result.events.length - wanted.length;
    return wanted;
  }

  private fold(events: SiemEvent[]): SiemEvent[] {
    const folded = foldAlerts(events);
    if (this.bucket && this.bucket.available(performance.now()) >= events.length) return events;
    this.deps.counts.merged += events.length - folded.length;
    const kept = new Set(folded.map((event) => event.id));
    for (const event of events) if (!kept.has(event.id)) this.deps.receipts.note(event.id, 'merged');
    return folded;
  }

  private limited(): SiemEvent[] | undefined {
    if (!this.bucket) return this.held.splice(0);
    const allowed = this.bucket.take(this.held.length, performance.now());
    const out = this.held.splice(0, allowed);
    if (this.settings.options.rate_limit?.over === 'drop' && this.held.length > 0) {
      this.deps.counts.dropped += this.held.length;
      const times = this.held.map((event) => event.tsMs);
      this.deps.onGap(this.settings.name, times.length, 'rate_limit', Math.min(...times), Math.max(...times));
      for (const event of this.held) this.deps.receipts.note(event.id, 'dropped');
      this.held = [];
      return out;
    }
    return out.length > 0 ? out : undefined;
  }

  /** HTTP only: a small batch waits a little for company, unless something urgent comes. */
  private async linger(max: number): Promise<void> {
    const { consumer, lingerMs, isHurried } = this.deps;
    if (lingerMs === 0) return;
    const untilMs = performance.now() + lingerMs;
    while (!isHurried() && consumer.unread(URGENT) === 0 && consumer.unread(BACKLOG) < max) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return;
      await this.deps.wait(leftMs);
    }
  }
}
