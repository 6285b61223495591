import { setTimeout as sleep } from 'node:timers/promises';
import type { SiemEvent } from '../domain/siem-event.js';
import { errorMessage } from '../util/errors.js';
import { Backoff } from './backoff.js';
import type { Receipt } from './receipts.js';
import type { Message, Transport } from './transports/transport.js';

/** Sending again what the spool still holds of a time span. */
export interface ReplayStatus {
  fromMs: number;
  toMs: number;
  startedMs: number;
  state: 'running' | 'done' | 'failed';
  /** Events of the span in the spool. */
  events: number;
  confirmed: number;
  /** Empty unless it failed. */
  error: string;
}

export interface ReplayDeps {
  /** Opened for this replay alone; closed at the end. */
  transport: Transport;
  events: AsyncIterable<SiemEvent>;
  toMessage(event: SiemEvent): Message | undefined;
  batchEvents: number;
  now(): number;
  signal: AbortSignal;
  onReceipt(receipt: Omit<Receipt, 'how'>): void;
}

const MAX_FAILURES_IN_A_ROW = 5;

/** Sends events over a connection of its own, a batch at a time, each confirmed before the next. */
export async function runReplay(status: ReplayStatus, deps: ReplayDeps): Promise<void> {
  try {
    let batch: Message[] = [];
    for await (const event of deps.events) {
      const message = deps.toMessage(event);
      if (message) batch.push(message);
      if (batch.length < deps.batchEvents) continue;
      await sendBatch(batch, status, deps);
      batch = [];
    }
    if (batch.length > 0) await sendBatch(batch, status, deps);
    status.state = 'done';
  } catch (error) {
    status.state = 'failed';
    status.error = errorMessage(error);
  } finally {
    await deps.transport.close();
  }
}

async function sendBatch(batch: readonly Message[], status: ReplayStatus, deps: ReplayDeps): Promise<void> {
  const backoff = new Backoff();
  for (let failures = 0; ;) {
    deps.signal.throwIfAborted();
    const startedMs = performance.now();
    try {
      await deps.transport.write(batch);
      const rejected = await deps.transport.confirm();
      status.confirmed += batch.length - rejected.length;
      deps.onReceipt({
        atMs: deps.now(),
        events: batch.length - rejected.length,
        rejected: rejected.length,
        tookMs: Math.round(performance.now() - startedMs),
        replay: true,
      });
      return;
    } catch (error) {
      deps.transport.reset();
      if (++failures >= MAX_FAILURES_IN_A_ROW) throw error;
      await sleep(backoff.next(), undefined, { signal: deps.signal });
    }
  }
}
