import type { authOperations } from '../../contract/http.js';
import { roleSchema } from '../../contract/http.js';
import type { Store, UserRow } from '../../store/index.js';
import { AppError } from '../../util/errors.js';
import { NO_TOTP } from '../auth/accounts.js';
import type { Keys } from '../auth/keys.js';
import type { Grant, LoginService } from '../auth/login.js';
import type { Passwords } from '../auth/password.js';
import { hashRecoveryCode, newRecoveryCodes, newTotp, totpStep } from '../auth/totp.js';
import type { ApiDeps } from '../deps.js';
import { notFound, userError } from '../errors.js';
import type { LiveFeed } from '../live.js';
import type { ApiRequest, Handlers } from '../request.js';

interface Parts {
  deps: ApiDeps;
  live: Pick<LiveFeed, 'recheck'>;
  store: Store;
  keys: Keys;
  login: LoginService;
  passwords: Passwords;
  now(): number;
}

type Receiver = Pick<ApiRequest<never>, 'setRefreshCookie' | 'client'>;

/** Hands over what a login gives, and has the address protected while the session lasts. */
export function deliverGrant(deps: ApiDeps, grant: Grant, request: Receiver): Grant['response'] {
  if (grant.refreshToken !== undefined) request.setRefreshCookie(grant.refreshToken, grant.expiresMs);
  const { address } = request.client;
  deps.onConsoleSession?.({ user: grant.response.user.name, address, expiresMs: grant.expiresMs });
  return grant.response;
}

export function authHandlers({
  deps,
  live,
  store,
  keys,
  login,
  passwords,
  now,
}: Parts): Pick<Handlers, keyof typeof authOperations> {
  const deliver = (grant: Grant, request: Receiver): Grant['response'] => deliverGrant(deps, grant, request);

  async function me(name: string): Promise<UserRow> {
    const user = await store.users.get(name);
    if (!user) throw notFound('user');
    return user;
  }

  return {
    async login(request) {
      const { username } = request.body;
      try {
        const grant = await login.login(request.body, request.client);
        await request.audit({ actor: username, action: 'auth.login', object: username });
        return deliver(grant, request);
      } catch (error) {
        if (error instanceof AppError && error.code !== 'auth.totp_required' && error.kind === 'user') {
          const entry = { actor: '', action: 'auth.login', object: username, reason: error.code };
          await request.audit({ ...entry, outcome: 'failure' });
        }
        throw error;
      }
    },
    async refresh(request) {
      const { refreshCookie } = request;
      if (refreshCookie === undefined) {
        throw userError({ code: 'auth.refresh_invalid', message: 'There is no session.', fix: 'Log in.' });
      }
      try {
        return deliver(await login.refresh(refreshCookie, request.client), request);
      } catch (error) {
        if (error instanceof AppError && error.kind === 'user') request.setRefreshCookie(null);
        if (error instanceof AppError && error.code === 'auth.refresh_reused') {
          await live.recheck();
          const user = String(error.context['user']);
          await request.audit({
            actor: user,
            action: 'auth.refresh',
            object: user,
            outcome: 'failure',
            reason: error.code,
          });
        }
        throw error;
      }
    },
    async logout(request) {
      const user = request.refreshCookie === undefined ? undefined : await login.logout(request.refreshCookie);
      request.setRefreshCookie(null);
      if (user === undefined) return;
      await live.recheck();
      await request.audit({ actor: user, action: 'auth.logout', object: user });
    },
    async changePassword(request) {
      const user = await me(request.principal.account);
      const { current, next } = request.body;
      await login.checkPassword(user, current);
      if (next === current || next.toLowerCase().includes(user.name.toLowerCase())) {
        throw userError({
          code: 'auth.password_weak',
          message: 'The new password must differ from the old one and must not contain the user name.',
        });
      }
      const change = { passwordHash: await passwords.hash(next), mustChangePassword: false, epoch: user.epoch + 1 };
      await store.users.update(user.name, { ...change, failedLogins: 0, lockedUntilMs: 0 });
      await store.sessions.revokeAll(user.name, now());
      await request.audit({ action: 'auth.password', object: user.name });
      return deliver(await login.open({ ...user, ...change }, request.client), request);
    },
    async me({ principal }) {
      const { name, role, mustChangePassword } = principal;
      if (principal.kind !== 'session') {
        return { name, role, mustChangePassword, totpEnabled: false, recoveryCodesLeft: 0, lastLoginMs: null };
      }
      const user = await me(principal.account);
      return {
        name,
        role: roleSchema.parse(user.role),
        mustChangePassword,
        totpEnabled: user.totpSecret !== '',
        recoveryCodesLeft: (JSON.parse(user.recoveryHashes) as string[]).length,
        lastLoginMs: user.lastLoginMs || null,
      };
    },
    async startTotp({ principal }) {
      const user = await me(principal.account);
      if (user.totpSecret !== '') throw totpState('TOTP is already on.', 'Turn it off first.');
      const totp = newTotp(user.name);
      await store.users.update(user.name, { totpPending: keys.seal(totp.secret) });
      return totp;
    },
    async confirmTotp(request) {
      const user = await me(request.principal.account);
      const secret = keys.unseal(user.totpPending);
      if (secret === undefined) throw totpState('No TOTP secret waits for its code.', 'Start again.');
      const step = totpStep(secret, user.name, request.body.code, now());
      if (step === undefined) throw userError({ code: 'auth.totp_invalid', message: 'The code is wrong.' });
      const recoveryCodes = newRecoveryCodes();
      await store.users.update(user.name, {
        totpSecret: user.totpPending,
        totpPending: '',
        totpLastStep: step,
        recoveryHashes: JSON.stringify(recoveryCodes.map(hashRecoveryCode)),
      });
      await request.audit({ action: 'auth.totp_on', object: user.name });
      return { recoveryCodes };
    },
    async disableTotp(request) {
      const user = await me(request.principal.account);
      await login.checkPassword(user, request.body.password);
      await store.users.update(user.name, NO_TOTP);
      await request.audit({ action: 'auth.totp_off', object: user.name });
    },
  };
}

function totpState(message: string, fix: string): AppError {
  return userError({ code: 'auth.totp_state', message, fix });
}
