import type { SiemEvent } from '../domain/siem-event.js';
import { AppError } from '../util/errors.js';
import type { Destination } from './destination.js';
import { howConfirmed } from './receipts.js';
import { runReplay, type ReplayStatus } from './replay.js';
import type { Spool } from './spool/spool.js';
import type { Transport } from './transports/transport.js';

export interface ReplayRequest {
  fromMs: number;
  toMs: number;
  nowMs: number;
}

/** At most one replay a destination, over a connection of its own, beside the usual run. */
export class Replays {
  private readonly last = new Map<string, ReplayStatus>();
  private readonly running = new Map<string, Promise<void>>();
  private readonly abort = new AbortController();
  private readonly spool: Spool;

  constructor(spool: Spool) {
    this.spool = spool;
  }

  /** The last one of a destination, running or over. */
  lastOf(name: string): ReplayStatus | undefined {
    return this.last.get(name);
  }

  /** @throws AppError siem.replay_busy, siem.nothing_to_replay */
  async start(destination: Destination, transport: Transport, request: ReplayRequest): Promise<ReplayStatus> {
    const { name, options } = destination.settings;
    const { fromMs, toMs, nowMs } = request;
    if (this.last.get(name)?.state === 'running') {
      throw new AppError({
        kind: 'user',
        code: 'siem.replay_busy',
        message: `A replay for ${name} is running.`,
        fix: 'Wait until it is done.',
      });
    }
    const status: ReplayStatus = {
      fromMs,
      toMs,
      startedMs: nowMs,
      state: 'running',
      events: 0,
      confirmed: 0,
      error: '',
    };
    const before = this.last.get(name);
    this.last.set(name, status);
    const wanted = (event: SiemEvent): boolean =>
      event.tsMs >= fromMs && event.tsMs <= toMs && event.kind !== 'gap' && destination.wants(event);
    for await (const batch of this.spool.scan()) {
      for (const { event } of batch) if (wanted(event)) status.events++;
    }
    if (status.events === 0) {
      if (before) this.last.set(name, before);
      else this.last.delete(name);
      throw new AppError({
        kind: 'user',
        code: 'siem.nothing_to_replay',
        message: `The spool holds no events of that time for ${name}.`,
        fix: 'Choose another time span; siem.spool.keep_confirmed says how long confirmed events are kept.',
      });
    }
    const work = runReplay(status, {
      transport,
      events: this.select(wanted, status.events),
      toMessage(event) {
        const message = destination.toMessage(event);
        return 'body' in message ? message : undefined;
      },
      batchEvents: options.batch.events,
      now: () => nowMs + (performance.now() - startedMs),
      signal: this.abort.signal,
      onReceipt: (receipt) => {
        destination.receipts.add({ ...receipt, how: howConfirmed(destination.settings, transport.guarantee) });
      },
    });
    const startedMs = performance.now();
    this.running.set(name, work);
    return status;
  }

  async close(): Promise<void> {
    this.abort.abort(new Error('the server is stopping'));
    await Promise.all(this.running.values());
  }

  /** The events counted at the start; newer ones go the usual way. */
  private async *select(wanted: (event: SiemEvent) => boolean, count: number): AsyncGenerator<SiemEvent> {
    let left = count;
    for await (const batch of this.spool.scan()) {
      for (const { event } of batch) {
        if (!wanted(event)) continue;
        if (left-- <= 0) return;
        yield event;
      }
    }
  }
}
