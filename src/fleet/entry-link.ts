import type { FleetMember } from '../contract/fleet.js';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import type { Member } from './member.js';
import { BUCKETS } from './names.js';
import { entryText, NOT_NEWER, openEntryBook, packEntry, rankOf, unpackEntry, type EntryKind } from './signed-entry.js';
import { watchBucket, type Entry } from './watch.js';

const RETRY_MS = 500;

/** Signed entries of one kind, the same on every member: each has the newest of every key. */
export interface EntryLink<T extends { version: number }> {
  get(key: string): T | undefined;
  entries(): [string, T][];
  /** Signs it with a higher version than what is known; from now on it counts, on every member. */
  set(key: string, value: Omit<T, 'version'>): T;
  /** True when the bus has told once what it holds. */
  isListed(): boolean;
  /** The roster changed: what was refused may count now. */
  again(): void;
}

export interface EntryLinkDeps<T extends { version: number }> {
  member: Member;
  bus: FleetBus;
  kind: EntryKind<T>;
  /** Keys of the bucket: one, or a pattern. */
  keys: string;
  /** Where the newest are kept. */
  path: string;
  log: Logger;
  /** Another member has set something; not what {@link EntryLink.set} was told. */
  changed(key: string, value: T): void;
}

export function openEntryLink<T extends { version: number }>(deps: EntryLinkDeps<T>): EntryLink<T> {
  const { member, bus, kind, keys, log } = deps;
  const book = openEntryBook(deps.path, kind, member.trust, (error) => {
    log.error({ keys, problem: errorMessage(error) }, 'What the fleet has said could not be written.');
  });
  /** Ranks of what the bucket holds, as far as they are known. */
  let held = new Map<string, string>();
  /** The session in which entries are under way. */
  let sending: Session | undefined;
  let isListed = false;
  let restart: (() => void) | undefined;

  function note(session: Session, { key, text, isFresh }: Entry): void {
    const signed = text === undefined ? undefined : unpackEntry(text);
    if (!signed) return;
    const refused = book.offer(key, signed);
    if (refused !== undefined && refused !== NOT_NEWER) {
      log.warn({ key, signer: signed.signer, problem: refused }, 'An entry of the fleet does not count.');
      return;
    }
    const rank = rankOf(versionOf(signed.text), signed.signer);
    held.set(key, rank);
    const own = book.get(key);
    if (refused === undefined && own) deps.changed(key, own.value);
    // Written by one that had not heard of ours: the bucket must hold what counts.
    else if (isFresh && own && own.rank > rank) void send(session);
  }

  /** What this member has, may write, and the bucket lacks. */
  function waiting(): string[] {
    const self = member.trust.member(member.name);
    if (self === undefined) return [];
    return [...book.entries()].flatMap(([key, { rank }]) =>
      rank > (held.get(key) ?? '') && mayWrite(kind, self, key) ? [key] : [],
    );
  }

  /** Until the bucket holds what we have; a newer one of another member ends it too. */
  async function send(session: Session): Promise<void> {
    if (sending === session) return;
    sending = session;
    let reported = false;
    try {
      const kv = await insist(session, keys, log, () => session.bucket(BUCKETS.trust));
      for (let key = waiting()[0]; kv && key !== undefined && !session.signal.aborted; key = waiting()[0]) {
        const own = book.get(key)!;
        try {
          await kv.put(key, packEntry(own.signed));
          if (own.rank > (held.get(key) ?? '')) held.set(key, own.rank);
        } catch (error) {
          if (!reported) log.warn({ key, problem: errorMessage(error) }, 'An entry of the fleet waits for the bus.');
          reported = true;
          await pause(RETRY_MS, session.signal);
        }
      }
    } finally {
      if (sending === session) sending = undefined;
    }
  }

  async function run(session: Session): Promise<void> {
    const kv = await insist(session, keys, log, () => session.bucket(BUCKETS.trust));
    while (kv && !session.signal.aborted) {
      held = new Map();
      const round = new AbortController();
      restart = () => round.abort();
      const listed = (): void => {
        isListed = true;
        void send(session);
      };
      try {
        const entry = (found: Entry): void => note(session, found);
        await watchBucket(session, BUCKETS.trust, { entry, listed }, { key: keys, signal: round.signal });
      } catch (error) {
        log.debug({ keys, problem: errorMessage(error) }, 'Entries of the fleet could not be followed, will retry.');
      }
      await pause(RETRY_MS, session.signal);
    }
  }
  bus.onSession((session) => void run(session));

  return {
    get: (key) => book.get(key)?.value,
    entries: () => [...book.entries()].map(([key, { value }]) => [key, value]),
    set(key, given) {
      const version = Math.max(Date.now(), (book.get(key)?.value.version ?? 0) + 1);
      const value = { ...given, version } as T;
      const text = JSON.stringify(value);
      book.offer(key, { signer: member.name, text, signature: member.sealer.text(kind.purpose, entryText(key, text)) });
      const session = bus.session();
      if (session) void send(session);
      return value;
    },
    isListed: () => isListed,
    again: () => restart?.(),
  };
}

const mayWrite = <T extends { version: number }>(kind: EntryKind<T>, self: FleetMember, key: string): boolean =>
  kind.refuse(self, key) === undefined;

function versionOf(text: string): number {
  const { version } = JSON.parse(text) as { version?: unknown };
  return typeof version === 'number' ? version : 0;
}
