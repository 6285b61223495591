import { LessThan, Not } from 'typeorm';
import type { Database } from '../data-source.js';
import { isDuplicate } from '../errors.js';
import type { SessionRow, TokenRow, UserRow } from '../entities/account.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import { textField, type SearchFields } from '../search.js';

export type { SessionRow, TokenRow, UserRow } from '../entities/account.js';

export interface UserRepository {
  get(name: string): Promise<UserRow | undefined>;
  /** All users by name; there are few. */
  all(): Promise<UserRow[]>;
  /** @returns false when the name is taken. */
  add(user: UserRow): Promise<boolean>;
  update(name: string, change: Partial<Omit<UserRow, 'name'>>): Promise<void>;
  /** Counts a failed login and returns how many there were in a row. */
  addFailure(name: string): Promise<number>;
  /** Marks a TOTP step as used. @returns false when it, or a later one, was used before. */
  useTotpStep(name: string, step: number): Promise<boolean>;
  remove(name: string): Promise<void>;
  count(): Promise<number>;
}

export function createUserRepository(db: Database): UserRepository {
  const rows = db.manager.getRepository(db.entities.user);
  return {
    get: async (name) => (await rows.findOneBy({ name })) ?? undefined,
    all: () => rows.find({ order: { name: 'ASC' } }),
    async add(user) {
      try {
        await db.write((manager) => manager.insert(db.entities.user, user));
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
    async update(name, change) {
      await db.write((manager) => manager.update(db.entities.user, { name }, change));
    },
    addFailure: (name) =>
      db.write(async (manager) => {
        await manager.increment(db.entities.user, { name }, 'failedLogins', 1);
        return (await manager.findOneBy(db.entities.user, { name }))?.failedLogins ?? 0;
      }),
    async useTotpStep(name, step) {
      const result = await db.write((manager) =>
        manager.update(db.entities.user, { name, totpLastStep: LessThan(step) }, { totpLastStep: step }),
      );
      return result.affected === 1;
    },
    async remove(name) {
      await db.write(async (manager) => {
        await manager.delete(db.entities.session, { user: name });
        await manager.delete(db.entities.token, { owner: name });
        await manager.delete(db.entities.user, { name });
      });
    },
    count: () => rows.count(),
  };
}

const SESSION_FIELDS: SearchFields = { user: textField('s.user'), '': textField('s.user') };

export interface SessionRepository {
  add(session: SessionRow): Promise<void>;
  get(id: string): Promise<SessionRow | undefined>;
  /** Replaces the refresh token if it is still `fromHash`. @returns false when another request was faster. */
  rotate(id: string, fromHash: string, change: Partial<SessionRow>): Promise<boolean>;
  revoke(id: string, nowMs: number): Promise<void>;
  /** Revokes every session of a user, but one. */
  revokeAll(user: string, nowMs: number, exceptId?: string): Promise<void>;
  /** Live sessions, of one user or of all. */
  list(page: PageRequest, nowMs: number, user?: string): Promise<PageResult<SessionRow>>;
  /** Deletes what ended before `beforeMs`. */
  purge(beforeMs: number): Promise<void>;
}

export interface SessionWriter extends SessionRepository {
  /** Adds the session or puts it in place of what is known of it. */
  put(session: SessionRow): Promise<void>;
}

export function createSessionRepository(db: Database): SessionWriter {
  const rows = db.manager.getRepository(db.entities.session);
  return {
    async put(session) {
      await db.write((manager) => manager.save(db.entities.session, session));
    },
    async add(session) {
      await db.write((manager) => manager.insert(db.entities.session, session));
    },
    get: async (id) => (await rows.findOneBy({ id })) ?? undefined,
    async rotate(id, fromHash, change) {
      const result = await db.write((manager) =>
        manager.update(db.entities.session, { id, refreshHash: fromHash, revokedMs: 0 }, change),
      );
      return result.affected === 1;
    },
    async revoke(id, nowMs) {
      await db.write((manager) => manager.update(db.entities.session, { id, revokedMs: 0 }, { revokedMs: nowMs }));
    },
    async revokeAll(user, nowMs, exceptId = '') {
      await db.write((manager) =>
        manager.update(db.entities.session, { user, revokedMs: 0, id: Not(exceptId) }, { revokedMs: nowMs }),
      );
    },
    async list(page, nowMs, user) {
      const builder = rows.createQueryBuilder('s').where('s.revokedMs = 0 AND s.expiresMs > :nowMs', { nowMs });
      if (user !== undefined) builder.andWhere('s.user = :owner', { owner: user });
      const spec = { time: 's.lastUsedMs', id: 's.id', fields: SESSION_FIELDS };
      const found = await applyPage(builder, page, spec).getMany();
      return toPage(
        found,
        page.limit,
        (row) => ({ at: row.lastUsedMs, id: row.id }),
        (row) => row,
      );
    },
    async purge(beforeMs) {
      await db.write(async (manager) => {
        await manager.delete(db.entities.session, { expiresMs: LessThan(beforeMs) });
      });
    },
  };
}

const TOKEN_FIELDS: SearchFields = { owner: textField('t.owner'), role: textField('t.role'), '': textField('t.name') };

export interface TokenRepository {
  add(token: TokenRow): Promise<void>;
  get(id: string): Promise<TokenRow | undefined>;
  byHash(hash: string): Promise<TokenRow | undefined>;
  touch(id: string, nowMs: number): Promise<void>;
  list(page: PageRequest, owner?: string): Promise<PageResult<TokenRow>>;
  remove(id: string): Promise<void>;
}

export function createTokenRepository(db: Database): TokenRepository {
  const rows = db.manager.getRepository(db.entities.token);
  return {
    async add(token) {
      await db.write((manager) => manager.insert(db.entities.token, token));
    },
    get: async (id) => (await rows.findOneBy({ id })) ?? undefined,
    byHash: async (hash) => (await rows.findOneBy({ hash })) ?? undefined,
    async touch(id, nowMs) {
      await db.write((manager) => manager.update(db.entities.token, { id }, { lastUsedMs: nowMs }));
    },
    async list(page, owner) {
      const builder = rows.createQueryBuilder('t');
      if (owner !== undefined) builder.andWhere('t.owner = :tokenOwner', { tokenOwner: owner });
      const spec = { time: 't.createdMs', id: 't.id', fields: TOKEN_FIELDS };
      const found = await applyPage(builder, page, spec).getMany();
      return toPage(
        found,
        page.limit,
        (row) => ({ at: row.createdMs, id: row.id }),
        (row) => row,
      );
    },
    async remove(id) {
      await db.write((manager) => manager.delete(db.entities.token, { id }));
    },
  };
}
