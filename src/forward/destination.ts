import type { SiemEvent } from '../domain/siem-event.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { Backoff } from './backoff.js';
import type { DeadLetters } from './dead-letter.js';
import { createFilter } from './filter.js';
import type { FormatContext, Formatter } from './formats/fields.js';
import type { DestinationState, DestinationStatus } from './destination-status.js';
import { Intake, type Prepared } from './intake.js';
import { ReceiptBook, hasMoved, howConfirmed } from './receipts.js';
import { createRedactor } from './redact.js';
import type { DestinationSettings } from './settings.js';
import { formatToFit } from './shrink.js';
import { Slices } from './slices.js';
import type { Position } from './spool/cursor.js';
import type { Consumer } from './spool/consumer.js';
import { DeliveryError, type Message, type Rejected, type Transport } from './transports/transport.js';

export interface DestinationDeps {
  consumer: Consumer;
  transport: Transport;
  format: Formatter;
  context: FormatContext;
  deadLetters: DeadLetters;
  log: Logger;
  now(): number;
  /** Times are those of the lost events, where they are known. */
  onGap(destination: string, dropped: number, cause: string, fromMs?: number, toMs?: number): void;
  onState(destination: string, state: DestinationState, detail: string): void;
}

const MISCONFIGURED_RETRY_MS = 60_000;
const IDLE_MS = 1000;

/** Takes events from the spool to one receiver and moves the cursor when they are confirmed. */
export class Destination {
  readonly settings: DestinationSettings;
  /** What the receiver confirmed of late. */
  readonly receipts = new ReceiptBook();
  private readonly deps: DestinationDeps;
  readonly wants: (event: SiemEvent) => boolean;
  private readonly redact: (event: SiemEvent) => SiemEvent;
  private readonly intake: Intake;
  private readonly backoff = new Backoff();
  private readonly abort = new AbortController();
  private wake: () => void = () => undefined;
  private running: Promise<void> | undefined;
  private unconfirmed = 0;
  private unconfirmedSinceMs = 0;
  private lastWriteMs = 0;
  /** Confirm without waiting for more: the process is ending. */
  private draining = false;
  private state: DestinationState = 'starting';
  private warning = '';
  private readonly counts = { sent: 0, confirmed: 0, resent: 0, filtered: 0, merged: 0, dropped: 0, dead: 0 };
  private lastError = '';
  private lastErrorMs = 0;
  private lastConfirmedMs = 0;

  constructor(settings: DestinationSettings, deps: DestinationDeps) {
    this.settings = settings;
    this.deps = deps;
    this.wants = createFilter(settings.options.filter);
    this.redact = createRedactor(settings.options.fields.redact);
    this.intake = new Intake(settings, {
      consumer: deps.consumer,
      lingerMs: deps.transport.lingerMs,
      wants: this.wants,
      toMessage: (event) => this.toMessage(event),
      receipts: this.receipts,
      counts: this.counts,
      onGap: deps.onGap,
      wait: (ms) => this.wait(ms),
      isHurried: () => this.draining || this.abort.signal.aborted,
    });
  }

  start(): void {
    this.running = this.run();
  }

  /** Where this destination stands in the spool, and where it began. */
  get position(): { committed: Position; since: Position } {
    const { committed, since } = this.deps.consumer;
    return { committed, since };
  }

  /** New events are there. */
  notify(): void {
    this.wake();
  }

  /** Resolves when everything spooled so far is confirmed, or at the deadline. */
  async drain(deadlineMs: number): Promise<void> {
    while (this.deps.consumer.backlog() > 0 && performance.now() < deadlineMs && !this.abort.signal.aborted) {
      this.draining = true;
      this.wake();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.draining = false;
  }

  async stop(): Promise<void> {
    this.abort.abort();
    this.wake();
    this.deps.transport.reset();
    await this.running;
    await this.deps.transport.close();
    await this.deps.consumer.close();
  }

  status(): DestinationStatus {
    const { name, options, format, protocol, host, port, url, path } = this.settings;
    const backlogEvents = this.deps.consumer.backlog();
    const { oldestTsMs } = this.intake;
    return {
      name,
      preset: options.preset,
      format,
      protocol,
      target: url !== '' ? url : path !== '' ? path : host === '' ? protocol : `${host}:${port}`,
      guarantee: this.deps.transport.guarantee,
      state: this.state,
      warning: this.deps.transport.warning,
      ...this.counts,
      lagSecs: backlogEvents > 0 && oldestTsMs > 0 ? Math.max(0, (this.deps.now() - oldestTsMs) / 1000) : 0,
      backlogEvents,
      backlogBytes: backlogEvents > 0 ? this.deps.consumer.backlogBytes() : 0,
      lastError: this.lastError,
      lastErrorMs: this.lastErrorMs,
      lastConfirmedMs: this.lastConfirmedMs,
    };
  }

  private async run(): Promise<void> {
    while (!this.abort.signal.aborted) {
      try {
        await this.step();
      } catch (error) {
        if (this.abort.signal.aborted) break;
        await this.failed(error);
      }
    }
    this.counts.resent += this.unconfirmed;
  }

  private async step(): Promise<void> {
    const events = await this.intake.next();
    if (events) await this.deliver(events);
    if (this.confirmDue(events !== undefined)) {
      await this.confirm();
    } else if (!events) {
      await this.idle();
    }
  }

  private async deliver(events: SiemEvent[]): Promise<void> {
    const messages: Message[] = [];
    const slices = new Slices();
    for (const event of events) {
      if (slices.isOver()) await slices.next();
      const message = this.intake.messageOf(event);
      if ('body' in message) messages.push(message);
      else await this.bury(event, message.reason);
    }
    this.intake.delivered();
    if (messages.length > 0) {
      if (this.unconfirmed === 0) this.unconfirmedSinceMs = performance.now();
      this.unconfirmed += messages.length;
      await this.deps.transport.write(messages);
      this.counts.sent += messages.length;
      this.lastWriteMs = performance.now();
    }
    if (this.unconfirmed === 0) this.commit();
  }

  /** The event as this receiver gets it, or why it cannot have it. */
  toMessage(event: SiemEvent): Prepared {
    const { format, context, transport } = this.deps;
    const room = this.settings.maxMessageBytes - transport.overheadBytes;
    try {
      const body = formatToFit(this.redact(event), format, context, room);
      return body === undefined ? { reason: `does not fit into ${room} bytes` } : { event, body };
    } catch (error) {
      return { reason: `cannot be formatted: ${errorMessage(error)}` };
    }
  }

  private async bury(event: SiemEvent, reason: string): Promise<void> {
    this.counts.dead++;
    this.receipts.note(event.id, 'dead');
    await this.deps.deadLetters.put(this.settings.name, event, reason);
  }

  private confirmDue(busy: boolean): boolean {
    if (this.unconfirmed === 0) return false;
    const { policy } = this.deps.transport;
    const now = performance.now();
    if (this.unconfirmed >= policy.maxEvents || now - this.unconfirmedSinceMs >= policy.maxMs) return true;
    return !busy && (this.draining || now - this.lastWriteMs >= policy.idleMs);
  }

  /** The receiver needs time to read to the end; the next batch is read and formatted meanwhile. */
  private async confirmWhileReading(): Promise<Rejected[]> {
    const ahead = this.intake.readAhead();
    try {
      return await this.deps.transport.confirm();
    } finally {
      await ahead;
    }
  }

  private async confirm(): Promise<void> {
    const rejected = await this.confirmWhileReading();
    for (const { message, reason } of rejected) await this.bury(message.event, reason);
    const events = this.unconfirmed - rejected.length;
    this.counts.confirmed += events;
    this.unconfirmed = 0;
    this.lastConfirmedMs = this.deps.now();
    const tookMs = Math.round(performance.now() - this.unconfirmedSinceMs);
    const from = this.deps.consumer.committed;
    this.commit();
    const to = this.deps.consumer.committed;
    const how = howConfirmed(this.settings, this.deps.transport.guarantee);
    const receipt = { atMs: this.lastConfirmedMs, events, rejected: rejected.length, how, tookMs, replay: false };
    this.receipts.add(receipt, hasMoved(from, to) ? { from, to } : undefined);
    this.backoff.reset();
    this.setState('ok', '');
    const { warning } = this.deps.transport;
    if (warning !== this.warning) {
      this.warning = warning;
      if (warning !== '') this.deps.onState(this.settings.name, 'ok', warning);
    }
  }

  private commit(): void {
    this.deps.consumer.commit(this.intake.position());
  }

  private async idle(): Promise<void> {
    const { policy } = this.deps.transport;
    const waits = [IDLE_MS];
    const now = performance.now();
    if (this.unconfirmed > 0) {
      waits.push(this.lastWriteMs + policy.idleMs - now, this.unconfirmedSinceMs + policy.maxMs - now);
    }
    const heldMs = this.intake.waitMs();
    if (heldMs !== undefined) waits.push(heldMs);
    await this.wait(Math.max(1, Math.min(...waits)));
  }

  private async failed(error: unknown): Promise<void> {
    const failure = error instanceof DeliveryError ? error : new DeliveryError('retry', errorMessage(error));
    if (!(error instanceof DeliveryError)) {
      this.deps.log.error({ destination: this.settings.name, error: errorMessage(error) }, 'siem: unexpected failure');
    }
    this.lastError = failure.message;
    this.lastErrorMs = this.deps.now();
    this.counts.resent += this.unconfirmed;
    this.unconfirmed = 0;
    this.intake.reset();
    this.deps.transport.reset();
    await this.deps.consumer.rewind();
    this.setState(failure.kind === 'misconfigured' ? 'misconfigured' : 'retrying', failure.message);
    const delayMs = failure.kind === 'misconfigured' ? MISCONFIGURED_RETRY_MS : this.backoff.next(failure.retryAfterMs);
    const untilMs = performance.now() + delayMs;
    for (let left = delayMs; left > 0 && !this.abort.signal.aborted; left = untilMs - performance.now()) {
      await this.wait(left, false);
    }
  }

  private setState(state: DestinationState, detail: string): void {
    if (state === this.state) return;
    const first = this.state === 'starting' && state === 'ok';
    this.state = state;
    if (!first) this.deps.onState(this.settings.name, state, detail);
  }

  /** Sleeps until the time is over, new events come (unless `forEvents` is false), or the destination stops. */
  private wait(ms: number, forEvents = true): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake = () => {
        if (forEvents || this.abort.signal.aborted) done();
      };
      if (this.abort.signal.aborted) done();
    });
  }
}
