import { setMaxListeners } from 'node:events';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import type { Member } from './member.js';
import { inboxOf } from './names.js';

/** A connection that does not answer two pings is over: a partition is noticed within three seconds. */
const PING_MS = 1000;
const RECONNECT_MS = 250;
const DIAL_MS = 1500;
/** While the cluster chooses a leader nobody answers: what was asked then is asked again. */
const ANSWER_MS = 1500;

/** An open connection to a NATS server. */
export interface Session {
  nc: NatsConnection;
  js: JetStreamClient;
  jsm: JetStreamManager;
  /** Opens a bucket that exists. */
  bucket(name: string): Promise<KV>;
  /** Where answers to this member go. */
  inboxPrefix: string;
  /** Aborts when the connection is lost. */
  signal: AbortSignal;
}

/** The connection of a member to the fleet, kept up by itself. */
export interface FleetBus {
  /** The open session, or undefined while cut off. */
  session(): Session | undefined;
  /** Runs for each session, also the one that is open; ends with the session's signal. */
  onSession(run: (session: Session) => void): void;
  status(): { connected: boolean; server: string; sessions: number; lastError: string };
  close(): Promise<void>;
}

/**
 * Dials the NATS servers of the fleet with mutual TLS and dials again for ever. Nothing is buffered while it is cut off:
 * whoever has something to say keeps it.
 */
export function openFleetBus(member: Member, log: Logger): FleetBus {
  const runs: ((session: Session) => void)[] = [];
  const stop = new AbortController();
  let current: Session | undefined;
  let sessions = 0;
  let lastError = '';

  async function open(): Promise<NatsConnection> {
    return connect({
      servers: member.servers,
      name: member.name,
      tls: member.tls,
      inboxPrefix: inboxOf(member.name),
      reconnect: false,
      pingInterval: PING_MS,
      maxPingOut: 2,
      timeout: DIAL_MS,
      noEcho: true,
      // Two errors with a stack for every request, thrown away when it is answered.
      noAsyncTraces: true,
    });
  }

  async function live(nc: NatsConnection): Promise<void> {
    const ended = new AbortController();
    // Every watch, queue and lease of a session listens for its end.
    setMaxListeners(0, ended.signal);
    const js = jetstream(nc, { timeout: ANSWER_MS });
    // The account's own limits are not ours to ask for: members may not call that part of the API.
    const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_MS });
    const bucket = async (name: string): Promise<KV> => {
      const kv = await new Kvm(js).open(name);
      // Opening asks nobody; one that is not there yet must be known now.
      await kv.status();
      return kv;
    };
    const session: Session = { nc, js, jsm, signal: ended.signal, bucket, inboxPrefix: inboxOf(member.name) };
    current = session;
    sessions++;
    lastError = '';
    log.info({ server: nc.getServer() }, 'The fleet is connected.');
    void complain(nc);
    for (const run of runs) run(session);
    const error = await nc.closed();
    current = undefined;
    ended.abort();
    if (stop.signal.aborted) return;
    lastError = error ? errorMessage(error) : 'the connection was closed';
    log.warn({ problem: lastError }, 'The fleet is out of reach; this box goes on by itself.');
  }

  /** What the server refuses is a fault in the permissions, and nobody else would say so. */
  async function complain(nc: NatsConnection): Promise<void> {
    for await (const event of nc.status()) {
      if (event.type !== 'error') continue;
      lastError = errorMessage(event.error);
      log.warn({ problem: lastError }, 'A NATS server refused something.');
    }
  }

  async function run(): Promise<void> {
    let reported = false;
    while (!stop.signal.aborted) {
      try {
        await live(await open());
        reported = false;
      } catch (error) {
        lastError = errorMessage(error);
        if (!reported) log.warn({ problem: lastError }, 'The fleet cannot be reached, will retry.');
        reported = true;
      }
      await pause(RECONNECT_MS * (0.5 + Math.random()), stop.signal);
    }
  }
  const done = run();

  return {
    session: () => current,
    onSession(handler) {
      runs.push(handler);
      if (current) handler(current);
    },
    status: () => ({ connected: current !== undefined, server: current?.nc.getServer() ?? '', sessions, lastError }),
    async close() {
      stop.abort();
      // What is on its way may still arrive; a dead connection is not waited for.
      const flushed = current?.nc.flush().catch(() => undefined);
      await Promise.race([flushed, pause(500)]);
      await current?.nc.close().catch(() => undefined);
      await done;
    },
  };
}

/** Waits, or returns early when the signal fires. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const finish = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    signal?.addEventListener('abort', finish, { once: true });
  });
}

/** Tries until it works or the session is over. @returns undefined in the latter case. */
export async function insist<T>(
  session: Session,
  what: string,
  log: Logger,
  task: () => Promise<T>,
): Promise<T | undefined> {
  let reported = false;
  while (!session.signal.aborted) {
    try {
      return await task();
    } catch (error) {
      // The buckets are made by the first server, and a cluster needs seconds to choose a leader.
      if (!reported) log.info({ what, problem: errorMessage(error) }, 'The fleet is not ready yet, will retry.');
      reported = true;
      await pause(300, session.signal);
    }
  }
  return undefined;
}
