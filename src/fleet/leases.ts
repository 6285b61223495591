import type { KV } from '@nats-io/kv';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import { BUCKETS } from './names.js';
import { watchBucket, type Entry } from './watch.js';

/** A lease that its holder has not renewed in this time is free. */
export const LEASE_MS = 3000;
const TICK_MS = 500;

/**
 * Who of several servers does a thing that only one may do. Held in a bucket: taking and renewing are compare-and-set on the
 * revision, and time is measured by each server's own steady clock from when it saw a revision, so clocks need not agree.
 */
export interface Leases {
  /** What this server would like to hold, asked again every half second. */
  want(keys: readonly string[]): void;
  holds(key: string): boolean;
  holder(key: string): string | undefined;
  close(): Promise<void>;
}

interface Seen {
  owner: string;
  revision: number;
  /** When this revision was first seen. */
  atMs: number;
}

export interface LeaseDeps {
  name: string;
  bus: FleetBus;
  log: Logger;
  changed(key: string, held: boolean): void;
  /** Steady milliseconds. */
  monoMs?(): number;
}

export function createLeases({ name, bus, log, changed, monoMs = () => performance.now() }: LeaseDeps): Leases {
  const seen = new Map<string, Seen>();
  /** Until when each is ours for certain, by the steady clock. */
  const mine = new Map<string, number>();
  let wanted: readonly string[] = [];
  const stop = new AbortController();

  function note({ key, text, revision }: Entry): void {
    if (text === undefined) seen.delete(key);
    else if (seen.get(key)?.revision !== revision) seen.set(key, { owner: text, revision, atMs: monoMs() });
  }

  function lose(key: string): void {
    if (mine.delete(key)) changed(key, false);
  }

  /**
   * As the leader of the stream has it. A watch alone is not enough: a cluster that lost its leader may have gone back behind
   * revisions that were seen (nats-server 2.9), and nobody could ever take or renew a lease again.
   */
  async function look({ jsm }: Session, key: string): Promise<void> {
    const subject = `$KV.${BUCKETS.leases}.${key}`;
    const found = await jsm.streams.getMessage(`KV_${BUCKETS.leases}`, { last_by_subj: subject });
    if (found === null || found.header?.has('KV-Operation')) seen.delete(key);
    else if (seen.get(key)?.revision !== found.seq) {
      seen.set(key, { owner: found.string(), revision: found.seq, atMs: monoMs() });
    }
  }

  async function take(session: Session, kv: KV, key: string): Promise<void> {
    const current = seen.get(key);
    const isFree = !current || monoMs() - current.atMs > LEASE_MS;
    if (current?.owner !== name && !isFree) {
      lose(key);
      return;
    }
    // Counted from before the request: the others count from after it.
    const untilMs = monoMs() + LEASE_MS;
    try {
      const revision = current ? await kv.update(key, name, current.revision) : await kv.create(key, name);
      seen.set(key, { owner: name, revision, atMs: monoMs() });
      const isNew = !mine.has(key);
      mine.set(key, untilMs);
      if (isNew) changed(key, true);
    } catch {
      // Somebody was faster, or the bus is away: what is not renewed runs out.
      await look(session, key).catch(() => undefined);
    }
  }

  async function give(kv: KV, key: string): Promise<void> {
    lose(key);
    if (seen.get(key)?.owner !== name) return;
    seen.delete(key);
    await kv.delete(key).catch(() => undefined);
  }

  async function tick(session: Session, kv: KV): Promise<void> {
    const gone = [...mine.keys()].filter((key) => !wanted.includes(key));
    await Promise.all([...wanted.map((key) => take(session, kv, key)), ...gone.map((key) => give(kv, key))]);
  }

  async function watch(session: Session, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await watchBucket(session, BUCKETS.leases, { entry: note }, { signal });
      } catch (error) {
        log.debug({ problem: errorMessage(error) }, 'The leases could not be watched, will retry.');
      }
      await pause(TICK_MS, signal);
    }
  }

  async function run(session: Session): Promise<void> {
    const kv = await insist(session, 'leases', log, () => session.bucket(BUCKETS.leases));
    if (!kv) return;
    const signal = AbortSignal.any([session.signal, stop.signal]);
    void watch(session, signal);
    // What others hold must be known first.
    await pause(TICK_MS, signal);
    while (!signal.aborted) {
      await tick(session, kv);
      await pause(TICK_MS, signal);
    }
    if (!session.signal.aborted) await Promise.all([...mine.keys()].map((key) => give(kv, key)));
  }

  const expiry = setInterval(() => {
    for (const [key, untilMs] of mine) if (monoMs() > untilMs) lose(key);
  }, TICK_MS / 2);
  expiry.unref();
  const runs = new Set<Promise<void>>();
  bus.onSession((session) => {
    const done = run(session).catch((error: unknown) => {
      log.error({ err: error }, 'Leases cannot be held.');
    });
    runs.add(done);
    void done.finally(() => runs.delete(done));
  });

  return {
    want(keys) {
      wanted = keys;
    },
    holds: (key) => (mine.get(key) ?? 0) > monoMs(),
    holder: (key) => seen.get(key)?.owner,
    async close() {
      clearInterval(expiry);
      stop.abort();
      await Promise.race([Promise.all(runs), pause(1000)]);
    },
  };
}
