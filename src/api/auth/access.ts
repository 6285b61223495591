import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import jwt from 'jsonwebtoken';
import { Authenticator } from 'passport';
import { ExtractJwt, Strategy, type StrategyOptionsWithoutRequest } from 'passport-jwt';
import { z } from 'zod';
import { ROLES, roleAllows, roleSchema, tokenScopeSchema, type Role, type TokenScope } from '../../contract/http.js';
import type { Store, UserRow } from '../../store/index.js';
import type { AppError } from '../../util/errors.js';
import { userError, whenUnwritable } from '../errors.js';
import type { Keys } from './keys.js';

/** Who a request comes from, as far as it is proved. */
export interface Principal {
  /** As it appears in decisions and the audit log. */
  name: string;
  /** The account behind it: for an API token its owner. */
  account: string;
  role: Role;
  /** `all` but for API tokens made for one purpose. */
  scope: TokenScope;
  kind: 'session' | 'token' | 'local';
  sessionId?: string;
  mustChangePassword: boolean;
  /** Epoch milliseconds. */
  expiresMs: number;
}

const ISSUER = 'portcullis';
const AUDIENCE = 'portcullis-api';
const TOKEN_PREFIX = 'pct_';

const claimsSchema = z.object({
  sub: z.string(),
  exp: z.number(),
  kind: z.enum(['session', 'local']),
  sid: z.string().optional(),
  /** Must equal the user's: raised to make all access tokens of a user invalid. */
  epoch: z.number().optional(),
});

/** Signs a short-lived access token (HS256, key by `kid`). */
export function signAccessToken(
  keys: Keys,
  claims: { user: string; kind: 'session' | 'local'; sessionId?: string; epoch?: number },
  lifetimeSecs: number,
  nowMs: number,
): string {
  const { kid, secret } = keys.signingKey(nowMs);
  const iat = Math.floor(nowMs / 1000);
  const { user, kind, sessionId, epoch } = claims;
  const payload = { kind, iat, exp: iat + lifetimeSecs, sid: sessionId, epoch };
  return jwt.sign(JSON.parse(JSON.stringify(payload)) as object, secret, {
    algorithm: 'HS256',
    keyid: kid,
    issuer: ISSUER,
    audience: AUDIENCE,
    subject: user,
  });
}

/** A token for someone who can read the key file: root on the box. Valid for a minute. */
export function signLocalToken(keys: Keys, nowMs: number): string {
  return signAccessToken(keys, { user: 'local', kind: 'local' }, 60, nowMs);
}

export function newApiToken(): { secret: string; hash: string } {
  const secret = TOKEN_PREFIX + randomBytes(32).toString('base64url');
  return { secret, hash: sha256(secret) };
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Compares two hex digests in constant time. */
export function sameDigest(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

const invalid = (cause?: unknown): AppError =>
  userError({ code: 'auth.token_invalid', message: 'The token is not valid.', fix: 'Log in again.', cause });
const expired = (): AppError =>
  userError({ code: 'auth.token_expired', message: 'The token has expired.', fix: 'Refresh it or log in again.' });

const weaker = (a: Role, b: Role): Role => ROLES[Math.min(ROLES.indexOf(a), ROLES.indexOf(b))] ?? 'viewer';

export interface AccessControl {
  /** @throws AppError auth.token_invalid, auth.token_expired */
  authenticate(bearer: string): Promise<Principal>;
}

/**
 * Verifies bearer tokens: JWTs through passport-jwt, API tokens by their hash. Users and sessions are looked up each
 * time, so disabling a user, changing a role or revoking a session works at once.
 */
export function createAccessControl(store: Store, keys: Keys, now: () => number): AccessControl {
  const passport = new Authenticator();
  const options: StrategyOptionsWithoutRequest = {
    jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
    algorithms: ['HS256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    secretOrKeyProvider: (_request, token: string, done) => {
      const header = jwt.decode(token, { complete: true })?.header;
      const key = header?.kid === undefined ? undefined : keys.verificationKey(header.kid, now());
      // Its types leave out key objects, which jsonwebtoken takes.
      if (key) done(null, key as unknown as Buffer);
      else done(new Error('unknown key'));
    },
    // Checked below against the same clock that signs.
    ignoreExpiration: true,
    passReqToCallback: false,
  };
  passport.use(
    new Strategy(options, (payload: unknown, done) => {
      fromClaims(payload).then(
        (principal) => {
          done(null, principal);
        },
        (error: unknown) => {
          done(error, false);
        },
      );
    }),
  );

  async function activeUser(name: string): Promise<UserRow> {
    const user = await store.users.get(name);
    if (!user || user.disabled) throw invalid();
    return user;
  }

  async function fromClaims(payload: unknown): Promise<Principal> {
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) throw invalid(claims.error);
    const { sub, kind, sid = '', epoch, exp } = claims.data;
    const expiresMs = exp * 1000;
    if (expiresMs <= now()) throw expired();
    if (kind === 'local')
      return {
        name: 'local',
        account: 'local',
        role: 'admin',
        scope: 'all',
        kind,
        mustChangePassword: false,
        expiresMs,
      };
    const [user, session] = [await activeUser(sub), await store.sessions.get(sid)];
    if (!session || session.revokedMs !== 0 || session.user !== sub || user.epoch !== epoch) throw invalid();
    const { mustChangePassword } = user;
    return {
      name: sub,
      account: sub,
      role: roleSchema.parse(user.role),
      scope: 'all',
      kind,
      sessionId: sid,
      mustChangePassword,
      expiresMs,
    };
  }

  async function fromApiToken(secret: string): Promise<Principal> {
    const token = await store.tokens.byHash(sha256(secret));
    if (!token) throw invalid();
    const nowMs = now();
    if (token.expiresMs <= nowMs) throw expired();
    const owner = await activeUser(token.owner);
    if (nowMs - token.lastUsedMs > 60_000) await store.tokens.touch(token.id, nowMs).catch(whenUnwritable());
    const role = weaker(roleSchema.parse(token.role), roleSchema.parse(owner.role));
    return {
      name: `token:${token.name}`,
      account: token.owner,
      role,
      scope: tokenScopeSchema.parse(token.scope),
      kind: 'token',
      mustChangePassword: false,
      expiresMs: token.expiresMs,
    };
  }

  function fromJwt(bearer: string): Promise<Principal> {
    return new Promise((resolve, reject) => {
      const request = { headers: { authorization: `Bearer ${bearer}` } } as IncomingMessage;
      const callback = (error: unknown, principal: Principal | false, info: unknown): void => {
        if (error) reject(error instanceof Error ? error : invalid(error));
        else if (principal) resolve(principal);
        else reject(invalid(info));
      };
      // With a callback passport neither answers nor opens a session: it only runs the strategy.
      const run = passport.authenticate('jwt', { session: false }, callback) as (
        request: IncomingMessage,
        response: undefined,
        next: (error: unknown) => void,
      ) => void;
      run(request, undefined, reject);
    });
  }

  return { authenticate: (bearer) => (bearer.startsWith(TOKEN_PREFIX) ? fromApiToken(bearer) : fromJwt(bearer)) };
}

/** @throws AppError auth.forbidden */
export function requireRole(principal: Principal, needed: Role): void {
  if (roleAllows(principal.role, needed)) return;
  throw userError({
    code: 'auth.forbidden',
    message: `This needs the role ${needed}; ${principal.name} is ${principal.role}.`,
    fix: 'Ask an admin.',
  });
}

/** A token made for one purpose opens nothing else. @throws AppError auth.scope */
export function requireScope(principal: Principal, scope: TokenScope | undefined): void {
  if (principal.scope === 'all' || principal.scope === scope) return;
  throw userError({
    code: 'auth.scope',
    message: `${principal.name} is for ${principal.scope} only.`,
    fix: 'Use a token of scope all, or the resource that this token is for.',
  });
}
