import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { workBatchSchema, workSchema } from '../contract/fleet.js';
import type { InlineDrop } from '../contract/inline.js';
import type { Detection } from '../domain/detection.js';
import type { Decision } from '../domain/decision.js';
import type { FlowRecord } from '../domain/flow.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import { PARTITIONS, speakerOf, STREAMS } from './names.js';
import { consumerOf } from './streams.js';

const CONFIRM_EVERY_MS = 250;
/** Tasks remembered after they were worked on: what comes again is confirmed and not worked on again. */
const MAX_REMEMBERED = 50_000;
const PULL = 1000;
/** A queue whose node has died is asked again within two missed heartbeats; the library's own choice is half a minute. */
export const ALIVE = { expires: 5000, idle_heartbeat: 1000 };

/** Work of a box for the server that owns its source. */
export type Work =
  | { type: 'detection'; detection: Detection; decision?: Decision }
  | {
      type: 'evidence';
      detectionId: string;
      linkType: number;
      packets: { tsUs: number; wireLen: number; data: string }[];
    }
  | { type: 'flows'; flows: FlowRecord[] }
  | { type: 'drops'; drops: InlineDrop[] };

export interface WorkIntakeDeps {
  bus: FleetBus;
  log: Logger;
  take(work: Work, member: string): void;
  /** Resolves when everything taken so far is stored. */
  stored(): Promise<void>;
}

/**
 * Takes work from the queues. A message is confirmed when what came of it is stored: a server that dies, or whose database
 * is away, leaves it in the queue.
 */
export interface WorkIntake {
  own(partition: number, held: boolean): void;
  stats(): { taken: number; again: number; unconfirmed: number; bad: number };
  close(): Promise<void>;
}

export const partitionKey = (partition: number): string => `partition.${partition}`;
export const PARTITION_KEYS = Array.from({ length: PARTITIONS }, (_, i) => partitionKey(i));

export function createWorkIntake({ bus, log, take, stored }: WorkIntakeDeps): WorkIntake {
  const owned = new Map<number, AbortController>();
  const stop = new AbortController();
  let unconfirmed = new Map<string, JsMsg>();
  /** Those that are being stored now. */
  let storing = new Map<string, JsMsg>();
  const worked = new Set<string>();
  const counts = { taken: 0, again: 0, bad: 0 };

  function onMessage(msg: JsMsg): void {
    const id = msg.headers?.get('Nats-Msg-Id') ?? '';
    const key = id === '' ? `${msg.subject} ${msg.seq}` : id;
    // Given out again because it took long to be stored: the newer copy is the one to confirm.
    const isHeld = unconfirmed.has(key) || storing.has(key);
    unconfirmed.set(key, msg);
    if (isHeld) counts.again++;
    else for (const { id: taskId, task } of tasksOf(key, msg)) onTask(taskId, task, msg.subject);
  }

  function onTask(id: string, value: unknown, subject: string): void {
    if (worked.has(id)) {
      counts.again++;
      return;
    }
    remember(id);
    const parsed = workSchema.safeParse(value);
    if (!parsed.success) {
      counts.bad++;
      log.warn({ subject, problem: parsed.error.issues[0]?.message }, 'Work of a box is not in the contract.');
      return;
    }
    counts.taken++;
    try {
      take(parsed.data as Work, speakerOf(subject));
    } catch (error) {
      log.error({ err: error }, 'Work of a box could not be done.');
    }
  }

  function remember(id: string): void {
    worked.add(id);
    if (worked.size <= MAX_REMEMBERED) return;
    const oldest = worked.values().next().value;
    if (oldest !== undefined) worked.delete(oldest);
  }

  async function consume(session: Session, stream: string, name: string, ended: AbortSignal): Promise<void> {
    const consumer = await insist(session, name, log, () => session.js.consumers.get(stream, name));
    if (!consumer || ended.aborted) return;
    const messages: ConsumerMessages = await consumer.consume({ max_messages: PULL, ...ALIVE });
    const end = (): void => void messages.close();
    ended.addEventListener('abort', end, { once: true });
    for await (const msg of messages) onMessage(msg);
  }

  /** Until the session or the lease ends, whatever happens to the consumer meanwhile. */
  async function consumeOn(session: Session, stream: string, name: string, lease: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([session.signal, lease, stop.signal]);
    while (!ended.aborted) {
      await consume(session, stream, name, ended).catch((error: unknown) => {
        log.debug({ name, problem: errorMessage(error) }, 'A queue could not be read, will retry.');
      });
      await pause(300, ended);
    }
  }

  async function confirm(): Promise<void> {
    while (!stop.signal.aborted) {
      await pause(CONFIRM_EVERY_MS, stop.signal);
      if (unconfirmed.size > 0) await confirmNow();
    }
  }

  async function confirmNow(): Promise<void> {
    storing = unconfirmed;
    unconfirmed = new Map();
    try {
      await stored();
      for (const msg of storing.values()) msg.ack();
    } catch {
      // The database is away: the queue keeps them, and a newer copy of one replaces the older.
      unconfirmed = new Map([...storing, ...unconfirmed]);
    }
    storing = new Map();
  }

  bus.onSession((session) => {
    void consumeOn(session, STREAMS.flows, 'flows', stop.signal);
    for (const [partition, lease] of owned) {
      void consumeOn(session, STREAMS.detections, consumerOf(partition), lease.signal);
    }
  });
  const confirming = confirm();

  return {
    own(partition, held) {
      owned.get(partition)?.abort();
      owned.delete(partition);
      if (!held) return;
      const lease = new AbortController();
      owned.set(partition, lease);
      const session = bus.session();
      if (session) void consumeOn(session, STREAMS.detections, consumerOf(partition), lease.signal);
    },
    stats: () => ({ ...counts, unconfirmed: unconfirmed.size + storing.size }),
    async close() {
      stop.abort();
      await confirming;
      await confirmNow();
    },
  };
}

/** What a message holds: one task under its own id, or several. */
function tasksOf(key: string, msg: JsMsg): { id: string; task: unknown }[] {
  const value = parse(msg);
  if ((value as { type?: unknown } | undefined)?.type !== 'batch') return [{ id: key, task: value }];
  const batch = workBatchSchema.safeParse(value);
  if (!batch.success) return [{ id: key, task: undefined }];
  const { ids, work } = batch.data;
  return work.map((task, i) => ({ id: ids[i] ?? `${key} ${i}`, task }));
}

function parse(msg: JsMsg): unknown {
  try {
    return msg.json();
  } catch {
    return undefined;
  }
}
