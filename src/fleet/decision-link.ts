import type { KV } from '@nats-io/kv';
import { errorMessage } from '../util/errors.js';
import type { Logger } from '../util/logger.js';
import { createBucketBook } from './bucket-book.js';
import { insist, pause, type FleetBus, type Session } from './bus.js';
import type { Member } from './member.js';
import { BUCKETS } from './names.js';
import { createHearing, type Heard } from './hearing.js';
import { createWordOfMouth } from './word-of-mouth.js';
import { endOf, parseStatement, type Replica } from './replica.js';
import { idOf, proofOf, type Statement } from './seal.js';
import { watchBucket, type Entry } from './watch.js';

/** Entries on their way to the bucket. */
const MAX_IN_FLIGHT = 256;
const RETRY_MS = 300;
const LAGS = 512;

export interface DecisionLinkDeps {
  member: Member;
  bus: FleetBus;
  replica: Replica;
  log: Logger;
  /** A statement of another member that is new here and may count here. */
  take(statement: Statement): void;
  /** A statement that may not count here. */
  refused(statement: Statement, why: string): void;
}

/** Decisions of this member to the fleet and of the fleet to this member. */
export interface DecisionLink {
  /** Says it at once when the bus is there, and in any case as soon as it is. */
  say(statement: Statement): void;
  /** A statement that came another way, with a detection for instance. */
  hear(statement: Statement): void;
  /** Own statements that the bus has not confirmed yet. */
  waiting(): number;
  stats(): { said: number; confirmed: number; heard: number; refused: number; lagP95Ms: number };
  /** The one server that does it: removes what is over from the bucket. */
  sweep(nowMs: number): Promise<void>;
  /** Call once a second. */
  tick(nowMs: number): void;
  /** The roster changed: what was refused may count now. */
  again(): void;
  close(): void;
}

const keyOf = (s: Statement): string => `${proofOf(s).signer}.${proofOf(s).issuer}.${idOf(s)}`;

/** For this box alone: kept, not said. */
const isPrivate = (s: Statement): boolean => proofOf(s).reach.startsWith('box:');

export function createDecisionLink(deps: DecisionLinkDeps): DecisionLink {
  const { member, bus, replica, log } = deps;
  const pending = new Map<string, Statement>();
  const held = createBucketBook(BUCKETS.decisions);
  const counts = { said: 0, confirmed: 0, heard: 0, refused: 0 };
  const lags: number[] = [];
  let wake: (() => void) | undefined;
  let restart: (() => void) | undefined;
  /** Since the watch began: with another roster it may count. */
  let hasRefused = false;

  function isNews(statement: Statement): boolean {
    const { issuer, version } = proofOf(statement);
    const known = replica.get(issuer, idOf(statement));
    if (known && proofOf(known).version >= version) return false;
    return endOf(statement) > Date.now() && member.trust.concerns(statement);
  }

  function judged({ statement, isFresh }: Heard, why: string | undefined): void {
    if (why !== undefined) {
      counts.refused++;
      hasRefused = true;
      deps.refused(statement, why);
      return;
    }
    if (!replica.put(statement)) return;
    counts.heard++;
    if (isFresh) lags[counts.heard % LAGS] = Math.max(0, Date.now() - proofOf(statement).version);
    deps.take(statement);
  }
  const hearing = createHearing({ trust: member.trust, log, isNews, judged });

  function hearText(text: string, isFresh: boolean): Statement | undefined {
    const statement = parseStatement(text);
    if (statement) hearing.hear({ statement, isFresh });
    else counts.refused++;
    return statement;
  }

  function note({ key, text, revision, isFresh }: Entry): void {
    if (text === undefined) {
      held.note(key, undefined);
      return;
    }
    const statement = hearText(text, isFresh);
    // What is not in the contract is over.
    const [endMs, version] = statement ? [endOf(statement), proofOf(statement).version] : [0, 0];
    held.note(key, { revision, endMs, version });
  }

  /** What this member has said, is still meant, and is not in the bucket. */
  function reconcile(): void {
    const nowMs = Date.now();
    for (const statement of replica.values()) {
      const { signer, version } = proofOf(statement);
      if (signer !== member.name || endOf(statement) <= nowMs || isPrivate(statement)) continue;
      if (held.versionOf(keyOf(statement)) < version) pending.set(keyOf(statement), statement);
    }
    wake?.();
  }

  async function watchAll(session: Session): Promise<void> {
    while (!session.signal.aborted) {
      const round = new AbortController();
      restart = () => round.abort();
      held.clear();
      hasRefused = false;
      try {
        const handlers = { entry: note, listed: reconcile };
        await watchBucket(session, BUCKETS.decisions, handlers, { signal: round.signal });
      } catch (error) {
        log.info({ problem: errorMessage(error) }, 'The decisions of the fleet could not be watched, will retry.');
      }
      await pause(RETRY_MS, session.signal);
    }
  }

  function idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      wake = () => {
        signal.removeEventListener('abort', resume);
        resolve();
      };
      const resume = wake;
      signal.addEventListener('abort', resume, { once: true });
    });
  }

  async function put(kv: KV, key: string, statement: Statement): Promise<void> {
    await kv.put(key, JSON.stringify(statement));
    if (pending.get(key) === statement) pending.delete(key);
    counts.confirmed++;
  }

  /** Always some on their way, in the order they were said; what fails is sent again after a pause. */
  async function sendAll({ signal }: Session, kv: KV): Promise<void> {
    const inFlight = new Set<Statement>();
    let hasFailed = false;
    while (!signal.aborted) {
      for (const [key, statement] of pending) {
        if (inFlight.size >= MAX_IN_FLIGHT) break;
        if (inFlight.has(statement)) continue;
        inFlight.add(statement);
        const done = put(kv, key, statement).catch(() => (hasFailed = true));
        void done.finally(() => {
          inFlight.delete(statement);
          if (inFlight.size < MAX_IN_FLIGHT / 2) wake?.();
        });
      }
      await idle(signal);
      if (hasFailed) await pause(RETRY_MS, signal);
      hasFailed = false;
    }
  }

  async function run(session: Session): Promise<void> {
    const kv = await insist(session, 'decisions', log, () => session.bucket(BUCKETS.decisions));
    if (kv) await Promise.all([watchAll(session), sendAll(session, kv)]);
  }

  const mouth = createWordOfMouth({
    ...{ member, bus, replica, pending: () => pending.values() },
    hear: (text, isFresh) => void hearText(text, isFresh),
  });
  bus.onSession((session) => {
    run(session).catch((error: unknown) => {
      log.error({ err: error }, 'The decisions of the fleet are not followed.');
    });
  });

  return {
    say(statement) {
      counts.said++;
      replica.put(statement);
      if (isPrivate(statement)) return;
      pending.set(keyOf(statement), statement);
      mouth.say(statement);
      wake?.();
    },
    hear(statement) {
      if (isNews(statement)) judged({ statement, isFresh: false }, member.trust.refuse(statement));
    },
    waiting: () => pending.size,
    stats() {
      const sorted = lags.filter((lag) => lag !== undefined).sort((a, b) => a - b);
      return { ...counts, lagP95Ms: sorted[Math.floor(sorted.length * 0.95)] ?? 0 };
    },
    async sweep(nowMs) {
      const session = bus.session();
      if (session && !(await held.sweep(session, nowMs))) restart?.();
    },
    tick: (nowMs) => held.tick(nowMs),
    again() {
      // A new member brings a roster to everybody: nobody needs the whole list for that.
      if (hasRefused) restart?.();
    },
    close() {
      hearing.close();
      mouth.close();
    },
  };
}
