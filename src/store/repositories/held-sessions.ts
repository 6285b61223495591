import { toStoreError, UNWRITABLE } from '../errors.js';
import type { SessionRepository, SessionRow, SessionWriter } from './accounts.js';

/** So many are held; then nobody can log in anew. */
const MAX_HELD = 1000;
const RETRY_MS = 5000;

/**
 * Sessions while the database takes nothing, as on a full disk: people must be able to log in just then. What began, was
 * renewed or ended meanwhile is held in memory until the database takes it; a restart before ends what began and
 * brings back what ended.
 */
export function holdSessions(stored: SessionWriter, retryMs = RETRY_MS): SessionRepository {
  const held = new Map<string, SessionRow>();
  let timer: NodeJS.Timeout | undefined;

  async function writeHeld(): Promise<void> {
    for (const row of [...held.values()]) {
      await stored.put(row);
      if (held.get(row.id) === row) held.delete(row.id);
    }
  }

  function retry(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      writeHeld().then(() => {
        if (held.size > 0) retry();
      }, retry);
    }, retryMs).unref();
  }

  /** @throws unless the database cannot be written now. */
  function hold(error: unknown, rows: readonly SessionRow[]): void {
    if (!UNWRITABLE.has(toStoreError(error).code) || held.size + rows.length > MAX_HELD) throw error;
    for (const row of rows) held.set(row.id, row);
    retry();
  }

  function revokeHeld(row: SessionRow, revokedMs: number): void {
    if (row.revokedMs === 0) held.set(row.id, { ...row, revokedMs });
  }

  return {
    add: (session) => stored.add(session).catch((error: unknown) => hold(error, [session])),
    get: async (id) => held.get(id) ?? (await stored.get(id)),
    async rotate(id, fromHash, change) {
      const row = held.get(id);
      if (!row) return stored.rotate(id, fromHash, change);
      if (row.refreshHash !== fromHash || row.revokedMs !== 0) return false;
      held.set(id, { ...row, ...change });
      return true;
    },
    async revoke(id, nowMs) {
      const row = held.get(id);
      if (row) return revokeHeld(row, nowMs);
      try {
        await stored.revoke(id, nowMs);
      } catch (error) {
        const live = await stored.get(id);
        hold(error, live?.revokedMs === 0 ? [{ ...live, revokedMs: nowMs }] : []);
      }
    },
    async revokeAll(user, nowMs, exceptId) {
      for (const row of held.values()) if (row.user === user && row.id !== exceptId) revokeHeld(row, nowMs);
      try {
        await stored.revokeAll(user, nowMs, exceptId);
      } catch (error) {
        const { items } = await stored.list({ limit: MAX_HELD }, nowMs, user);
        const live = items.filter(({ id }) => id !== exceptId && !held.has(id));
        hold(
          error,
          live.map((row) => ({ ...row, revokedMs: nowMs })),
        );
      }
    },
    async list(page, nowMs, user) {
      const { items, nextCursor } = await stored.list(page, nowMs, user);
      const known = new Set(items.map(({ id }) => id));
      const isWanted = (row: SessionRow): boolean =>
        row.revokedMs === 0 && row.expiresMs > nowMs && (user === undefined || row.user === user);
      const begun = page.cursor === undefined ? [...held.values()].filter(({ id }) => !known.has(id)).reverse() : [];
      return { items: [...begun, ...items.map((row) => held.get(row.id) ?? row)].filter(isWanted), nextCursor };
    },
    purge: (beforeMs) => stored.purge(beforeMs),
  };
}
