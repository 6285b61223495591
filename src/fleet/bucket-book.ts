import { JetStreamApiError } from '@nats-io/jetstream';
import type { Session } from './bus.js';

/** Entries that are over are removed from the bucket so many at a time, and this long after their end. */
const TOGETHER = 50;
const MAX_SWEPT = 1000;
export const SWEEP_AFTER_MS = 60_000;
/** Who was asked to remove them in this time is the one who does. */
const SWEEPER_MS = 30_000;

interface BookEntry {
  revision: number;
  /** When it means nothing any more, epoch milliseconds. */
  endMs: number;
  version: number;
}

/**
 * What a bucket holds as its watch tells, and the removal of what is over. One server removes; nobody is told of it, so all
 * others forget what is over by themselves.
 */
export interface BucketBook {
  note(key: string, entry: BookEntry | undefined): void;
  /** @returns 0 for what it does not hold. */
  versionOf(key: string): number;
  /** The watch begins again and tells everything. */
  clear(): void;
  /** For the one server that removes. @returns false when it must hear the whole list again first: it has forgotten some. */
  sweep(session: Session, nowMs: number): Promise<boolean>;
  /** Call once a second. */
  tick(nowMs: number): void;
}

export function createBucketBook(bucket: string): BucketBook {
  const held = new Map<string, BookEntry>();
  let sweptMs = -Infinity;
  let forgotMs = -Infinity;
  let hasForgotten = false;
  let isSweeping = false;

  /** Only the revision that was seen: what was put under the key since then has another number, and stays. */
  async function remove({ jsm }: Session, key: string, revision: number): Promise<void> {
    try {
      await jsm.streams.deleteMessage(`KV_${bucket}`, revision, false);
    } catch (error) {
      // Tried again at the next sweep.
      if (!isGone(error)) return;
    }
    if (held.get(key)?.revision === revision) held.delete(key);
  }

  return {
    note(key, entry) {
      if (entry) held.set(key, entry);
      else held.delete(key);
    },
    versionOf: (key) => held.get(key)?.version ?? 0,
    clear() {
      held.clear();
      hasForgotten = false;
    },
    async sweep(session, nowMs) {
      sweptMs = nowMs;
      if (hasForgotten) return false;
      if (isSweeping) return true;
      isSweeping = true;
      const over = [...held].filter(([, { endMs }]) => endMs + SWEEP_AFTER_MS < nowMs).slice(0, MAX_SWEPT);
      for (let from = 0; from < over.length && !session.signal.aborted; from += TOGETHER) {
        const some = over.slice(from, from + TOGETHER);
        await Promise.all(some.map(([key, { revision }]) => remove(session, key, revision)));
      }
      isSweeping = false;
      return true;
    },
    tick(nowMs) {
      if (nowMs - sweptMs < SWEEPER_MS || nowMs - forgotMs < SWEEP_AFTER_MS) return;
      forgotMs = nowMs;
      for (const [key, { endMs }] of held) {
        // Twice as late as the one who removes, so that a new one rarely has to ask.
        if (endMs + 2 * SWEEP_AFTER_MS < nowMs) hasForgotten = held.delete(key);
      }
    },
  };
}

/** There is no such message any more: a newer one took its place, or another server removed it (nats-server's own words). */
function isGone(error: unknown): boolean {
  return error instanceof JetStreamApiError && /no message found|sequence \d+ not found/.test(error.message);
}
