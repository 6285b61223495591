import { randomBytes } from 'node:crypto';
import { roleSchema, type LoginRequest, type LoginResponse } from '../../contract/http.js';
import type { SessionRow, Store, UserRow } from '../../store/index.js';
import { uuid7 } from '../../util/uuid7.js';
import { userError, whenUnwritable } from '../errors.js';
import type { ApiOptions } from '../options.js';
import { sameDigest, sha256, signAccessToken } from './access.js';
import type { Keys } from './keys.js';
import { createFailureCounts, lockedError, lockSecs } from './lockout.js';
import type { Passwords } from './password.js';
import { hashRecoveryCode, totpStep } from './totp.js';

export interface ClientInfo {
  address: string;
  userAgent: string;
  /** The page that asks, when a browser says so. */
  origin?: string | undefined;
}

/** What a login or refresh gives: the body, and the refresh token for the cookie (absent: keep the old one). */
export interface Grant {
  response: LoginResponse;
  sessionId: string;
  /** Epoch milliseconds. */
  expiresMs: number;
  refreshToken?: string;
}

export interface LoginService {
  /** @throws AppError auth.login_failed, auth.totp_required, auth.totp_invalid, auth.locked */
  login(request: LoginRequest, client: ClientInfo): Promise<Grant>;
  /** @throws AppError auth.refresh_invalid, auth.refresh_reused (the whole session is revoked) */
  refresh(refreshToken: string, client: ClientInfo): Promise<Grant>;
  /** Ends the session of a refresh token; unknown ones are ignored. @returns its user. */
  logout(refreshToken: string): Promise<string | undefined>;
  /** Checks the current password, counting failures. @throws AppError auth.login_failed, auth.locked */
  checkPassword(user: UserRow, password: string): Promise<void>;
  /** Checks a TOTP or recovery code and uses it up. @throws AppError auth.totp_invalid, auth.locked */
  checkSecondFactor(user: UserRow, code: string): Promise<void>;
  /** A new session. */
  open(user: UserRow, client: ClientInfo): Promise<Grant>;
  /** A new session of a user who has proved who he is in another way. @throws AppError auth.login_failed, auth.locked */
  openFor(name: string, client: ClientInfo): Promise<Grant>;
}

const HOUR_MS = 3_600_000;

export function createLoginService(
  store: Store,
  keys: Keys,
  options: ApiOptions,
  passwords: Passwords,
  now: () => number,
): LoginService {
  /** Guessing at names that do not exist looks like guessing at a real account. */
  const unknownNames = createFailureCounts(options);
  /** While the database takes nothing, guessing must not be free, nor a code of the second factor count twice. */
  const unwritten = createFailureCounts(options);
  const usedSteps = new Map<string, number>();

  const refuse = (): Error =>
    userError({ code: 'auth.login_failed', message: 'The user name or the password is wrong.' });

  function checkLock(lockedUntilMs: number): void {
    const leftMs = lockedUntilMs - now();
    if (leftMs > 0) throw lockedError(Math.ceil(leftMs / 1000));
  }

  async function countFailure(user: UserRow): Promise<void> {
    const failures = await store.users.addFailure(user.name).catch(whenUnwritable('unwritable'));
    if (typeof failures !== 'number') {
      unwritten.fail(user.name, now());
      return;
    }
    const secs = lockSecs(failures, options);
    if (secs > 0) await store.users.update(user.name, { lockedUntilMs: now() + secs * 1000 });
  }

  const lockedUntilMs = (user: UserRow): number => Math.max(user.lockedUntilMs, unwritten.lockedUntilMs(user.name));

  /** Who is logged in has guessed nothing. */
  async function noteLogin({ name }: UserRow, change: Partial<UserRow> = {}): Promise<void> {
    unwritten.forget(name);
    const done = { failedLogins: 0, lockedUntilMs: 0, lastLoginMs: now(), ...change };
    await store.users.update(name, done).catch(whenUnwritable());
  }

  async function useTotpStep({ name, totpLastStep }: UserRow, step: number): Promise<boolean> {
    if (step <= Math.max(usedSteps.get(name) ?? 0, totpLastStep)) return false;
    const isUsed = await store.users.useTotpStep(name, step).catch(whenUnwritable('unwritable'));
    if (isUsed !== 'unwritable') return isUsed === true;
    usedSteps.set(name, step);
    return true;
  }

  async function checkPassword(user: UserRow, password: string): Promise<void> {
    checkLock(lockedUntilMs(user));
    if (await passwords.verify(password, user.passwordHash)) return;
    await countFailure(user);
    throw refuse();
  }

  async function useRecoveryCode(user: UserRow, code: string): Promise<boolean> {
    const hashes = JSON.parse(user.recoveryHashes) as string[];
    const hash = hashRecoveryCode(code);
    if (!hashes.some((known) => sameDigest(known, hash))) return false;
    const left = hashes.filter((known) => !sameDigest(known, hash));
    await store.users.update(user.name, { recoveryHashes: JSON.stringify(left) });
    return true;
  }

  async function checkSecondFactor(user: UserRow, code: string): Promise<void> {
    const secret = keys.unseal(user.totpSecret);
    const step = secret === undefined ? undefined : totpStep(secret, user.name, code, now());
    if (step !== undefined && (await useTotpStep(user, step))) return;
    if (step === undefined && (await useRecoveryCode(user, code))) return;
    await countFailure(user);
    throw userError({
      code: 'auth.totp_invalid',
      message: 'The code is wrong or was used before.',
      fix: 'Wait for the next code, and check the clock of the phone.',
    });
  }

  function grant(user: UserRow, session: SessionRow, refreshToken?: string): Grant {
    const { name, role, mustChangePassword, epoch } = user;
    const claims = { user: name, kind: 'session' as const, sessionId: session.id, epoch };
    const accessToken = signAccessToken(keys, claims, options.accessTokenSecs, now());
    return {
      response: {
        accessToken,
        expiresInSecs: options.accessTokenSecs,
        user: { name, role: roleSchema.parse(role), mustChangePassword },
      },
      sessionId: session.id,
      expiresMs: session.expiresMs,
      ...(refreshToken === undefined ? {} : { refreshToken }),
    };
  }

  async function open(user: UserRow, client: ClientInfo): Promise<Grant> {
    const nowMs = now();
    const secret = randomBytes(32).toString('base64url');
    const session: SessionRow = {
      id: uuid7(),
      user: user.name,
      refreshHash: sha256(secret),
      previousHash: '',
      rotatedMs: nowMs,
      address: client.address,
      userAgent: client.userAgent.slice(0, 255),
      createdMs: nowMs,
      lastUsedMs: nowMs,
      expiresMs: nowMs + options.sessionIdleHours * HOUR_MS,
      revokedMs: 0,
    };
    await store.sessions.add(session);
    return grant(user, session, `${session.id}.${secret}`);
  }

  function split(refreshToken: string): { id: string; hash: string } {
    const [id = '', secret = ''] = refreshToken.split('.');
    return { id, hash: sha256(secret) };
  }

  async function liveSession(id: string): Promise<{ session: SessionRow; user: UserRow }> {
    const session = await store.sessions.get(id);
    const user =
      session && session.revokedMs === 0 && session.expiresMs > now() ? await store.users.get(session.user) : undefined;
    if (session && user && !user.disabled) return { session, user };
    throw userError({ code: 'auth.refresh_invalid', message: 'The session has ended.', fix: 'Log in again.' });
  }

  /** The token is the one before the newest, and another tab replaced it a moment ago. */
  const isRace = (session: SessionRow, hash: string): boolean =>
    session.previousHash !== '' &&
    sameDigest(session.previousHash, hash) &&
    now() - session.rotatedMs <= options.refreshGraceSecs * 1000;

  return {
    checkPassword,
    checkSecondFactor,
    open,
    async openFor(name, client) {
      const user = await store.users.get(name);
      if (!user || user.disabled) throw refuse();
      checkLock(lockedUntilMs(user));
      await noteLogin(user);
      return open(user, client);
    },
    async login({ username, password, totp }, client) {
      const user = await store.users.get(username);
      if (!user || user.disabled) {
        checkLock(unknownNames.lockedUntilMs(username));
        await passwords.verify(password, undefined);
        unknownNames.fail(username, now());
        throw refuse();
      }
      await checkPassword(user, password);
      if (user.totpSecret !== '') {
        if (totp === undefined) {
          throw userError({ code: 'auth.totp_required', message: 'A code of the second factor is needed.' });
        }
        await checkSecondFactor(user, totp);
      }
      const rehash = passwords.needsRehash(user.passwordHash) ? { passwordHash: await passwords.hash(password) } : {};
      await noteLogin(user, rehash);
      return open(user, client);
    },
    async refresh(refreshToken, client) {
      const { id, hash } = split(refreshToken);
      const { session, user } = await liveSession(id);
      const nowMs = now();
      if (sameDigest(session.refreshHash, hash)) {
        const secret = randomBytes(32).toString('base64url');
        const change = {
          refreshHash: sha256(secret),
          previousHash: hash,
          rotatedMs: nowMs,
          lastUsedMs: nowMs,
          address: client.address,
          expiresMs: Math.min(
            nowMs + options.sessionIdleHours * HOUR_MS,
            session.createdMs + options.sessionMaxHours * HOUR_MS,
          ),
        };
        const rotated = await store.sessions.rotate(id, hash, change).catch(whenUnwritable('unwritable'));
        // A session goes on with the token it has: who is logged in may act while the disk is full.
        if (rotated === 'unwritable') return grant(user, session);
        if (rotated) return grant(user, { ...session, ...change }, `${id}.${secret}`);
        return grant(user, (await liveSession(id)).session);
      }
      if (isRace(session, hash)) return grant(user, session);
      await store.sessions.revoke(id, nowMs);
      throw userError({
        code: 'auth.refresh_reused',
        message: 'An old refresh token was used again: someone may have copied it. The session was ended.',
        fix: 'Log in again.',
        context: { user: user.name },
      });
    },
    async logout(refreshToken) {
      const { id, hash } = split(refreshToken);
      const session = await store.sessions.get(id);
      if (!session || !sameDigest(session.refreshHash, hash)) return undefined;
      await store.sessions.revoke(id, now());
      return session.user;
    },
  };
}
