import { z } from 'zod';
import { pendingChangeSchema, type ChangeOutcome, type PendingChange } from '../../contract/http.js';
import type { SettingRepository } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import type { Logger } from '../../util/logger.js';
import { uuid7 } from '../../util/uuid7.js';

const SETTING = 'pending_changes';
/** Longest that a timer of Node can wait for, milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** A change that could not be taken back is tried again after this time, then after twice of it, and so on. */
const RETRY_MS = 5000;
const MAX_RETRY_MS = 300_000;

/** With what it takes to undo it: the saved text of a policy (null: none), the mode before. */
const storedSchema = z.array(pendingChangeSchema.extend({ before: z.string().nullable() }));
export type StoredChange = z.infer<typeof storedSchema>[number];

export interface ChangeBookDeps {
  settings: SettingRepository;
  /** Of several servers that share a database, whose changes these are: each takes back its own. */
  owner?: string;
  /** Takes the change back. @returns how many decisions made under it were lifted. */
  undo(change: StoredChange, actor: string): Promise<number>;
  /** A change was made, kept or taken back: for the status, the SIEM and the audit trail. */
  told(change: PendingChange, what: 'pending' | 'confirmed' | 'reverted', lifted: number, actor: string): void;
  now(): number;
  log: Logger;
  /** Time to the second try of an undo that failed. */
  retryMs?: number;
}

/**
 * Commit-confirm: risky changes take effect at once and are taken back when nobody confirms them in time. They are
 * kept in the store, so that a change is taken back after a restart too.
 */
export interface ChangeBook {
  /** Takes up what was pending when the server ended; what is overdue is taken back now. */
  start(): Promise<void>;
  list(): PendingChange[];
  of(kind: PendingChange['kind'], object: string): PendingChange | undefined;
  /**
   * Makes a change and arms its timer; of two changes of one thing the state before the first counts. It is in the store
   * before it is made: a server that is killed at any moment takes it back when it starts again.
   * @param make when it throws, nothing has changed
   */
  arm(
    change: Omit<StoredChange, 'id' | 'madeMs' | 'revertMs'>,
    confirmSecs: number,
    make: () => Promise<unknown>,
  ): Promise<PendingChange>;
  /** The thing was changed again without a timer: nothing is left to confirm. */
  supersede(kind: PendingChange['kind'], object: string): Promise<void>;
  /** @throws AppError change.not_found */
  confirm(id: string, actor: string): Promise<ChangeOutcome>;
  revert(id: string, actor: string): Promise<ChangeOutcome>;
  close(): void;
}

export function createChangeBook(deps: ChangeBookDeps): ChangeBook {
  const pending = new Map<string, StoredChange>();
  const timers = new Map<string, NodeJS.Timeout>();
  /** Being made or taken back: nothing can be said of them meanwhile. */
  const busy = new Set<string>();
  let closed = false;
  const setting = deps.owner === undefined ? SETTING : `${SETTING}.${deps.owner}`;
  const find = (kind: string, object: string): StoredChange | undefined =>
    [...pending.values()].find((c) => c.kind === kind && c.object === object);
  const save = (): Promise<void> => deps.settings.set(setting, [...pending.values()], 'server');

  function watch(change: StoredChange): void {
    // Never longer than was promised when it was made, also with a clock that was set back since.
    const leftMs = Math.min(change.revertMs - deps.now(), change.revertMs - change.madeMs);
    const waitMs = Math.min(MAX_TIMER_MS, Math.max(0, leftMs));
    const attempt = (retryMs: number): void => {
      revert(change.id, 'timer').catch((error: unknown) => {
        deps.log.error({ err: error, change: change.summary }, 'An unconfirmed change could not be taken back.');
        if (!pending.has(change.id) || closed) return;
        timers.set(change.id, setTimeout(attempt, retryMs, Math.min(MAX_RETRY_MS, retryMs * 2)));
      });
    };
    timers.set(change.id, setTimeout(attempt, waitMs, deps.retryMs ?? RETRY_MS));
  }

  /** @throws AppError change.not_found, also while it is being made or taken back */
  function need(id: string): StoredChange {
    const change = busy.has(id) ? undefined : pending.get(id);
    if (change) return change;
    throw new AppError({
      kind: 'user',
      code: 'change.not_found',
      message: 'No change with this id waits for its confirmation: it was confirmed, taken back or replaced.',
    });
  }

  async function remove({ id }: StoredChange): Promise<void> {
    if (!pending.delete(id)) return;
    clearTimeout(timers.get(id));
    timers.delete(id);
    await save();
  }

  /** It leaves the book when it has been undone: one that could not be still waits, and the timer tries again. */
  async function revert(id: string, actor: string): Promise<ChangeOutcome> {
    const change = need(id);
    busy.add(id);
    try {
      const lifted = await deps.undo(change, actor);
      await remove(change);
      deps.told(publicOf(change), 'reverted', lifted, actor);
      return { change: publicOf(change), outcome: 'reverted', lifted };
    } finally {
      busy.delete(id);
    }
  }

  return {
    async start() {
      const stored = storedSchema.safeParse(await deps.settings.get(setting));
      for (const change of stored.success ? stored.data : []) {
        pending.set(change.id, change);
        watch(change);
      }
    },
    list: () => [...pending.values()].map(publicOf),
    of(kind, object) {
      const found = find(kind, object);
      return found && publicOf(found);
    },
    async arm(made, confirmSecs, make) {
      const earlier = find(made.kind, made.object);
      const madeMs = deps.now();
      const change: StoredChange = {
        ...made,
        before: earlier ? earlier.before : made.before,
        id: uuid7(madeMs),
        madeMs: earlier?.madeMs ?? madeMs,
        revertMs: madeMs + confirmSecs * 1000,
      };
      busy.add(change.id);
      pending.set(change.id, change);
      if (earlier) pending.delete(earlier.id);
      try {
        await save();
        await make();
      } catch (error) {
        pending.delete(change.id);
        // What waited before waits on, and is taken back at once if its time has passed meanwhile.
        if (earlier) {
          clearTimeout(timers.get(earlier.id));
          pending.set(earlier.id, earlier);
          watch(earlier);
        }
        await save().catch(() => undefined);
        throw error;
      } finally {
        busy.delete(change.id);
      }
      if (earlier) clearTimeout(timers.get(earlier.id));
      watch(change);
      deps.told(publicOf(change), 'pending', 0, change.actor);
      return publicOf(change);
    },
    async supersede(kind, object) {
      const earlier = find(kind, object);
      if (earlier) await remove(earlier);
    },
    async confirm(id, actor) {
      const change = need(id);
      await remove(change);
      deps.told(publicOf(change), 'confirmed', 0, actor);
      return { change: publicOf(change), outcome: 'confirmed', lifted: 0 };
    },
    revert,
    close() {
      closed = true;
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
    },
  };
}

/** The second half of a sentence about a change. */
export function changeText(what: 'pending' | 'confirmed' | 'reverted', lifted: number, actor: string): string {
  if (what === 'pending') return 'It is taken back unless it is confirmed in time.';
  if (what === 'confirmed') return `Confirmed by ${actor}.`;
  const why = actor === 'timer' ? 'Nobody confirmed it in time' : `${actor} took it back`;
  return `${why}: what was before is in force again, ${lifted} decisions made under it are lifted.`;
}

function publicOf({ before: _before, ...change }: StoredChange): PendingChange {
  return change;
}
