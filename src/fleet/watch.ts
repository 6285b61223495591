import { AckPolicy, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { createInbox, nanos, nuid, type Msg } from '@nats-io/transport-node';
import type { Session } from './bus.js';

/** The server says so often that it is still there when nothing changes. */
const HEARTBEAT_MS = 1000;
/** Without a word in this time the watch is over: the node that kept it may be dead while our own connection stands. */
const SILENCE_MS = 3000;
const FORGET_MS = 30_000;
const STALLED = 'Nats-Consumer-Stalled';
const LAST_CONSUMER_SEQ = 'Nats-Last-Consumer';
const OPERATION = 'KV-Operation';

/** A key of a bucket as it is now. */
export interface Entry {
  key: string;
  /** The value; undefined when the key was deleted. */
  text: string | undefined;
  revision: number;
  /** When it was put, by the clock of the NATS server; epoch milliseconds. */
  createdMs: number;
  /** It was put after the watch began; not part of the first list. */
  isFresh: boolean;
}

export interface WatchHandlers {
  entry(entry: Entry): void;
  /** The list of what the bucket held is complete. Called once. */
  listed?(): void;
}

/**
 * Watches a bucket: first every key it holds, then every change. Ends when the signal fires, and as soon as messages are
 * missed or nothing was heard for some seconds; the caller begins again and gets the whole list again. The client library's
 * own watch takes a minute to notice that the node which kept its consumer has died.
 * @param key one key or a pattern.
 */
export async function watchBucket(
  session: Session,
  bucket: string,
  handlers: WatchHandlers,
  options: { key?: string; signal?: AbortSignal } = {},
): Promise<void> {
  const { nc, jsm } = session;
  const signal = options.signal ? AbortSignal.any([session.signal, options.signal]) : session.signal;
  if (signal.aborted) return;
  const stream = `KV_${bucket}`;
  const prefix = `$KV.${bucket}.`;
  const inbox = createInbox(session.inboxPrefix);
  const name = `watch_${nuid.next()}`;
  let finish!: () => void;
  const over = new Promise<void>((resolve) => (finish = resolve));
  /** Of the first list; unknown until the consumer is made, and its first messages come earlier. */
  let toList = Infinity;
  let seen = 0;
  let isListed = false;
  let heardMs = performance.now();

  function checkListed(): void {
    if (isListed || seen < toList) return;
    isListed = true;
    handlers.listed?.();
  }

  /** Messages without a body of ours: heartbeats, and questions whether we keep up. */
  function control(msg: Msg): void {
    if (msg.reply !== undefined && msg.reply !== '') msg.respond();
    const stalled = msg.headers?.get(STALLED);
    if (stalled) nc.publish(stalled);
    const last = msg.headers?.get(LAST_CONSUMER_SEQ);
    if (last && Number(last) !== seen) finish();
  }

  function take(msg: Msg): void {
    const place = parsePlace(msg.reply);
    if (!place || place.consumerSeq !== seen + 1) {
      finish();
      return;
    }
    seen++;
    const isDeleted = msg.headers?.has(OPERATION) ?? false;
    handlers.entry({
      key: msg.subject.slice(prefix.length),
      text: isDeleted ? undefined : msg.string(),
      revision: place.streamSeq,
      createdMs: place.createdMs,
      isFresh: isListed,
    });
    checkListed();
  }

  const sub = nc.subscribe(inbox, {
    callback(error, msg) {
      heardMs = performance.now();
      if (error) finish();
      else if (msg.headers?.code === 100) control(msg);
      else if (msg.subject.startsWith(prefix)) take(msg);
    },
  });
  const timer = setInterval(() => {
    if (performance.now() - heardMs > SILENCE_MS) finish();
  }, HEARTBEAT_MS / 2);
  signal.addEventListener('abort', finish, { once: true });
  try {
    const { num_pending: pending, delivered } = await jsm.consumers.add(stream, {
      name,
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.LastPerSubject,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      filter_subject: `${prefix}${options.key ?? '>'}`,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(FORGET_MS),
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
    });
    heardMs = performance.now();
    toList = pending + delivered.consumer_seq;
    checkListed();
    await over;
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', finish);
    sub.unsubscribe();
    // Forgotten by itself otherwise; a dead connection is not waited for.
    if (!session.signal.aborted) jsm.consumers.delete(stream, name).catch(() => undefined);
  }
}

/** `$JS.ACK.<stream>.<consumer>.<tries>.<stream seq>.<consumer seq>.<ns>.<pending>`, or longer with a domain (NATS ADR-15). */
function parsePlace(
  reply: string | undefined,
): { streamSeq: number; consumerSeq: number; createdMs: number } | undefined {
  const tokens = reply?.split('.') ?? [];
  const at = tokens.length >= 11 ? 7 : 5;
  if (tokens.length < 9 || tokens[0] !== '$JS') return undefined;
  const [streamSeq, consumerSeq] = [Number(tokens[at]), Number(tokens[at + 1])];
  const createdMs = Math.floor(Number(tokens[at + 2]) / 1e6);
  return Number.isInteger(streamSeq) && Number.isInteger(consumerSeq)
    ? { streamSeq, consumerSeq, createdMs }
    : undefined;
}
