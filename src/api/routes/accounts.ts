import {
  roleAllows,
  roleSchema,
  tokenScopeSchema,
  type accountOperations,
  type ApiToken,
  type User,
} from '../../contract/http.js';
import type { Store, TokenRow, UserRow } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import { newApiToken, requireRole, type Principal } from '../auth/access.js';
import { addUser, keepAnAdmin, resetPassword } from '../auth/accounts.js';
import type { Passwords } from '../auth/password.js';
import { notFound, userError } from '../errors.js';
import type { LiveFeed } from '../live.js';
import type { Handlers } from '../request.js';

interface Parts {
  store: Store;
  live: LiveFeed;
  passwords: Passwords;
  now(): number;
}

function toUser(row: UserRow, nowMs: number): User {
  return {
    name: row.name,
    role: roleSchema.parse(row.role),
    disabled: row.disabled,
    mustChangePassword: row.mustChangePassword,
    totpEnabled: row.totpSecret !== '',
    createdMs: row.createdMs,
    lastLoginMs: row.lastLoginMs || null,
    lockedUntilMs: row.lockedUntilMs > nowMs ? row.lockedUntilMs : null,
  };
}

function toToken({ hash: _hash, role, scope, lastUsedMs, ...row }: TokenRow): ApiToken {
  return { ...row, role: roleSchema.parse(role), scope: tokenScopeSchema.parse(scope), lastUsedMs: lastUsedMs || null };
}

/** Own things only, unless the caller is an admin. */
const ownerFilter = (principal: Principal): string | undefined =>
  roleAllows(principal.role, 'admin') ? undefined : principal.account;

export function accountHandlers({
  store,
  live,
  passwords,
  now,
}: Parts): Pick<Handlers, keyof typeof accountOperations> {
  async function findUser(name: string): Promise<UserRow> {
    const user = await store.users.get(name);
    if (!user) throw notFound('user');
    return user;
  }

  function notSelf(principal: Principal, name: string): void {
    if (principal.account !== name) return;
    throw userError({
      code: 'user.self',
      message: 'You cannot do this to your own account.',
      fix: 'Ask another admin.',
    });
  }

  return {
    async listUsers() {
      return { items: (await store.users.all()).map((row) => toUser(row, now())), nextCursor: null };
    },
    async addUser(request) {
      const { name, role } = request.body;
      const { user, password } = await addUser(store, name, role, now(), passwords);
      await request.audit({ action: 'user.add', object: name, after: { role } });
      return { user: toUser(user, now()), password };
    },
    async patchUser(request) {
      const { name } = request.params;
      const { role, disabled } = request.body;
      notSelf(request.principal, name);
      const user = await findUser(name);
      if (user.role === 'admin' && (disabled === true || (role !== undefined && role !== 'admin'))) {
        await keepAnAdmin(store, name);
      }
      const change = { ...(role === undefined ? {} : { role }), ...(disabled === undefined ? {} : { disabled }) };
      await store.users.update(name, { ...change, epoch: user.epoch + 1 });
      await store.sessions.revokeAll(name, now());
      live.closeUser(name);
      const before = { role: user.role, disabled: user.disabled };
      await request.audit({ action: 'user.change', object: name, before, after: change });
      return toUser({ ...user, ...change }, now());
    },
    async resetPassword(request) {
      const { name } = request.params;
      notSelf(request.principal, name);
      const password = await resetPassword(store, await findUser(name), now(), passwords);
      live.closeUser(name);
      await request.audit({ action: 'user.reset_password', object: name });
      return { password };
    },
    async removeUser(request) {
      const { name } = request.params;
      notSelf(request.principal, name);
      const user = await findUser(name);
      if (user.role === 'admin') await keepAnAdmin(store, name);
      await store.passkeys.removeAll(name);
      await store.users.remove(name);
      live.closeUser(name);
      await request.audit({ action: 'user.remove', object: name, before: { role: user.role } });
    },
    async listTokens({ query, principal }) {
      const page = await store.tokens.list(query, ownerFilter(principal));
      return { items: page.items.map(toToken), nextCursor: page.nextCursor };
    },
    async addToken(request) {
      const { name, role, scope, expiresInSecs } = request.body;
      requireRole(request.principal, role);
      const { secret, hash } = newApiToken();
      const createdMs = now();
      const token: TokenRow = {
        id: uuid7(),
        name,
        role,
        scope,
        owner: request.principal.account,
        hash,
        createdMs,
        expiresMs: createdMs + expiresInSecs * 1000,
        lastUsedMs: 0,
      };
      await store.tokens.add(token);
      await request.audit({ action: 'token.add', object: name, after: { role, scope, expiresMs: token.expiresMs } });
      return { token: toToken(token), secret };
    },
    async removeToken(request) {
      const token = await store.tokens.get(request.params.id);
      const owner = ownerFilter(request.principal);
      if (!token || (owner !== undefined && token.owner !== owner)) throw notFound('token');
      await store.tokens.remove(token.id);
      await request.audit({
        action: 'token.remove',
        object: token.name,
        before: { owner: token.owner, role: token.role },
      });
    },
    async listSessions({ query, principal }) {
      const page = await store.sessions.list(query, now(), ownerFilter(principal));
      const items = page.items.map(({ id, user, address, userAgent, createdMs, lastUsedMs, expiresMs }) => ({
        ...{ id, user, address, userAgent, createdMs, lastUsedMs, expiresMs },
        current: id === principal.sessionId,
      }));
      return { items, nextCursor: page.nextCursor };
    },
    async removeSession(request) {
      const session = await store.sessions.get(request.params.id);
      const owner = ownerFilter(request.principal);
      if (!session || (owner !== undefined && session.user !== owner)) throw notFound('session');
      await store.sessions.revoke(session.id, now());
      live.closeSession(session.id);
      await request.audit({ action: 'session.revoke', object: session.user, before: { address: session.address } });
    },
    listAudit: ({ query }) => store.audit.list(query),
    checkAudit: () => store.audit.check(),
  };
}
