import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import jwt from 'jsonwebtoken';
import { Secret, TOTP } from 'otpauth';
import { ensureFirstAdmin, openKeys, signLocalToken } from '../../../src/api/index.js';
import type { LoginResponse, TotpConfirmResponse, TotpStartResponse } from '../../../src/contract/http.js';
import { AppError } from '../../../src/util/errors.js';
import { assertProblem, cookieOf, PASSWORD, startHarness, type Answer, type Harness } from './harness.js';

const decode = (token: string) =>
  jwt.decode(token, { complete: true }) as { header: jwt.JwtHeader; payload: jwt.JwtPayload };

describe('accounts', () => {
  let h: Harness;
  before(async () => {
    h = await startHarness();
    await h.addUser('olga', 'operator');
    await h.addUser('root', 'admin');
  });
  after(() => h.close());

  const login = (username: string, password: string, totp?: string): Promise<Answer> =>
    h.call('POST', '/auth/login', { body: { username, password, ...(totp === undefined ? {} : { totp }) } });
  const refresh = (cookie: string): Promise<Answer> => h.call('POST', '/auth/refresh', { headers: { Cookie: cookie } });

  it('makes one admin at the first start, whose password must be changed before anything else', async () => {
    const fresh = await startHarness();
    try {
      const admin = await ensureFirstAdmin(fresh.store);
      assert.ok(admin);
      assert.equal(await ensureFirstAdmin(fresh.store), undefined);
      const first = await fresh.call('POST', '/auth/login', {
        body: { username: admin.name, password: admin.password },
      });
      const { accessToken, user } = first.body as LoginResponse;
      assert.deepEqual(user, { name: 'admin', role: 'admin', mustChangePassword: true });
      assertProblem(await fresh.call('GET', '/status', { token: accessToken }), 403, 'auth.password_change_required');
      assert.equal((await fresh.call('GET', '/auth/me', { token: accessToken })).status, 200);
      const change = (current: string, next: string) =>
        fresh.call('POST', '/auth/password', { token: accessToken, body: { current, next } });
      assertProblem(await change('wrong', 'a long new pass phrase'), 401, 'auth.login_failed');
      assertProblem(await change(admin.password, 'short'), 400, 'request.invalid');
      assertProblem(await change(admin.password, 'my admin pass phrase'), 400, 'auth.password_weak');
      const changed = await change(admin.password, 'a long new pass phrase');
      assert.equal(changed.status, 200, changed.text);
      assertProblem(await fresh.call('GET', '/status', { token: accessToken }), 401, 'auth.token_invalid');
      const { accessToken: next } = changed.body as LoginResponse;
      assert.equal((await fresh.call('GET', '/status', { token: next })).status, 200);
    } finally {
      await fresh.close();
    }
  });

  it('makes one admin however many servers of a fleet start on the empty database at once', async () => {
    const fresh = await startHarness();
    try {
      const made = await Promise.all([1, 2, 3].map(() => ensureFirstAdmin(fresh.store)));
      const [admin, ...others] = made.filter((user) => user !== undefined);
      assert.ok(admin);
      assert.deepEqual(others, [], 'the others go on without');
      const body = { username: admin.name, password: admin.password };
      assert.equal(
        (await fresh.call('POST', '/auth/login', { body })).status,
        200,
        'the password that was shown is right',
      );
    } finally {
      await fresh.close();
    }
  });

  it('gives a short-lived token and an HttpOnly, same-site cookie for the auth routes only', async () => {
    const answer = await login('olga', PASSWORD);
    const body = answer.body as LoginResponse;
    assert.equal(body.expiresInSecs, 600);
    const { header, payload } = decode(body.accessToken);
    assert.equal(header.alg, 'HS256');
    assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 600);
    const cookie = answer.headers.getSetCookie()[0] ?? '';
    assert.match(cookie, /^portcullis_refresh=.+; Expires=.+; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
  });

  it('answers wrong passwords and unknown users alike', async () => {
    const wrong = assertProblem(await login('olga', 'not the password'), 401, 'auth.login_failed');
    const unknown = assertProblem(await login('nobody-here', 'not the password'), 401, 'auth.login_failed');
    assert.deepEqual(wrong, unknown);
    assert.equal((await h.login('olga')).token.length > 20, true);
  });

  it('refuses tokens that are missing, malformed, expired, unsigned, re-signed or of another kind', async () => {
    const { token } = await h.login('olga');
    const { header, payload } = decode(token);
    const me = (value?: string) => h.call('GET', '/auth/me', { token: value });
    assert.equal((await me(token)).status, 200);
    assertProblem(await me(), 401, 'auth.required');
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [head = '', body = '', signature = ''] = token.split('.');
    const key = h.keys.signingKey(h.clock.ms).secret;
    const signed = (claims: object, options: jwt.SignOptions = {}, secret: jwt.Secret = key) =>
      jwt.sign({ ...payload, ...claims }, secret, { keyid: header.kid ?? '', ...options });
    const forged: Record<string, string> = {
      garbage: 'abc.def.ghi',
      'alg none': `${part({ alg: 'none', typ: 'JWT', kid: header.kid })}.${body}.`,
      'alg none, signature kept': `${part({ alg: 'none', kid: header.kid })}.${body}.${signature}`,
      'changed body': `${head}.${part({ ...payload, sub: 'root' })}.${signature}`,
      'no signature': `${head}.${body}.`,
      're-signed with another key': signed({}, {}, Buffer.alloc(32, 7)),
      're-signed with an empty key id': signed({}, { keyid: '' }),
      'unknown key id': signed({}, { keyid: 'nope' }),
      'key id as a path': signed({}, { keyid: '../../etc/hostname' }),
      'HS512': signed({}, { algorithm: 'HS512' }),
      'other audience': signed({ aud: 'other' }),
      'other issuer': signed({ iss: 'other' }),
      'other epoch': signed({ epoch: 99 }),
      'other session': signed({ sid: '01890000-0000-7000-8000-000000000001' }),
      'other user of the session': signed({ sub: 'root' }),
      'unknown kind': signed({ kind: 'god' }),
      'an API token that does not exist': `pct_${'A'.repeat(43)}`,
    }; // prettier-ignore
    for (const [name, value] of Object.entries(forged)) {
      const answer = await me(value);
      assert.equal(answer.status, 401, `${name}: ${answer.text}`);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="portcullis"');
    }
    assert.equal(
      (await me(signed({}))).status,
      200,
      'mutation control: the same claims with the right key are accepted',
    );
    assertProblem(await me(signed({ exp: Math.floor(h.clock.ms / 1000) - 1 })), 401, 'auth.token_expired');
    const viaQuery = await h.call('GET', `/auth/me?access_token=${token}`);
    assertProblem(viaQuery, 401, 'auth.required');
  });

  it('lets an access token end after ten minutes', async () => {
    const { token } = await h.login('olga');
    h.clock.ms += 599_000;
    assert.equal((await h.call('GET', '/auth/me', { token })).status, 200);
    h.clock.ms += 2_000;
    assertProblem(await h.call('GET', '/auth/me', { token }), 401, 'auth.token_expired');
  });

  it('ends the session when an old refresh token is used again after the grace time', async () => {
    const { cookie } = await h.login('olga');
    const second = await refresh(cookie);
    assert.equal(second.status, 200);
    const stolen = cookie;
    const newest = cookieOf(second);
    assert.notEqual(newest, stolen);
    const race = await refresh(stolen);
    assert.equal(race.status, 200, 'another tab a moment later is no theft');
    assert.equal(cookieOf(race), '', 'but it gets no refresh token of its own');
    h.clock.ms += 11_000;
    assertProblem(await refresh(stolen), 401, 'auth.refresh_reused');
    assertProblem(await refresh(newest), 401, 'auth.refresh_invalid');
    const { accessToken } = second.body as LoginResponse;
    assertProblem(await h.call('GET', '/auth/me', { token: accessToken }), 401, 'auth.token_invalid');
    const audit = h.audited.filter((record) => record.reason === 'auth.refresh_reused');
    assert.deepEqual(
      audit.map((record) => [record.actor, record.outcome]),
      [['olga', 'failure']],
    );
  });

  it('ends an idle session, and an old one even when it is used', async () => {
    let { cookie } = await h.login('olga');
    h.clock.ms += 13 * 3_600_000;
    assertProblem(await refresh(cookie), 401, 'auth.refresh_invalid');
    cookie = (await h.login('olga')).cookie;
    for (let hours = 0; hours < 160; hours += 10) {
      h.clock.ms += 10 * 3_600_000;
      const answer = await refresh(cookie);
      assert.equal(answer.status, 200, `after ${hours} h: ${answer.text}`);
      cookie = cookieOf(answer);
    }
    h.clock.ms += 10 * 3_600_000;
    assertProblem(await refresh(cookie), 401, 'auth.refresh_invalid');
  });

  it('ends the session at logout, with its access token', async () => {
    const { token, cookie } = await h.login('olga');
    const answer = await h.call('POST', '/auth/logout', { headers: { Cookie: cookie } });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.getSetCookie()[0] ?? '', /Max-Age=0/);
    assertProblem(await refresh(cookie), 401, 'auth.refresh_invalid');
    assertProblem(await h.call('GET', '/auth/me', { token }), 401, 'auth.token_invalid');
  });

  it('refuses refresh and login from another site', async () => {
    const { cookie } = await h.login('olga');
    const evil = { Cookie: cookie, Origin: 'https://evil.example' };
    assertProblem(await h.call('POST', '/auth/refresh', { headers: evil }), 403, 'auth.origin');
    assertProblem(await h.call('POST', '/auth/refresh', { headers: { ...evil, Origin: 'null' } }), 403, 'auth.origin');
    const own = await h.call('POST', '/auth/refresh', { headers: { Cookie: cookie, Origin: h.api.url } });
    assert.equal(own.status, 200);
    assert.equal(own.headers.get('access-control-allow-origin'), null);
  });

  it('locks an account after five failures, existing or not, for longer each time', async () => {
    await h.addUser('locky', 'viewer');
    for (const name of ['locky', 'ghost']) {
      for (let i = 0; i < 5; i++) assertProblem(await login(name, 'x'), 401, 'auth.login_failed');
      const locked = assertProblem(await login(name, PASSWORD), 429, 'auth.locked');
      assert.ok((locked.retryAfterSecs ?? 0) > 55 && (locked.retryAfterSecs ?? 0) <= 60);
    }
    h.clock.ms += 61_000;
    assertProblem(await login('locky', 'x'), 401, 'auth.login_failed');
    const longer = assertProblem(await login('locky', PASSWORD), 429, 'auth.locked');
    assert.ok((longer.retryAfterSecs ?? 0) > 110, String(longer.retryAfterSecs));
    h.clock.ms += 121_000;
    assert.equal((await login('locky', PASSWORD)).status, 200);
    for (let i = 0; i < 4; i++) assertProblem(await login('locky', 'x'), 401, 'auth.login_failed');
    assert.equal((await login('locky', PASSWORD)).status, 200, 'success starts the count again');
  });

  it('asks for the second factor, takes each code once and each recovery code once', async () => {
    await h.addUser('tina', 'analyst');
    const { token } = await h.login('tina');
    const start = (await h.call('POST', '/auth/totp', { token })).body as TotpStartResponse;
    assert.match(start.uri, /^otpauth:\/\/totp\/Portcullis:tina\?/);
    const totp = new TOTP({ secret: Secret.fromBase32(start.secret) });
    const code = () => totp.generate({ timestamp: h.clock.ms });
    const confirm = (value: string) => h.call('POST', '/auth/totp/confirm', { token, body: { code: value } });
    const wrong = String((Number(code()) + 1) % 1_000_000).padStart(6, '0');
    assertProblem(await confirm(wrong), 401, 'auth.totp_invalid');
    assert.equal((await login('tina', PASSWORD)).status, 200, 'not in force before it is confirmed');
    const used = code();
    const confirmed = await confirm(used);
    assert.equal(confirmed.status, 200, confirmed.text);
    const { recoveryCodes } = confirmed.body as TotpConfirmResponse;
    assert.equal(new Set(recoveryCodes).size, 10);
    const stored = await h.store.users.get('tina');
    assert.ok(!JSON.stringify(stored).includes(start.secret), 'the secret is sealed in the database');
    assertProblem(await login('tina', PASSWORD), 401, 'auth.totp_required');
    assertProblem(await login('tina', 'x', code()), 401, 'auth.login_failed');
    assertProblem(await login('tina', PASSWORD, used), 401, 'auth.totp_invalid');
    h.clock.ms += 30_000;
    const fresh = code();
    assert.equal((await login('tina', PASSWORD, fresh)).status, 200);
    assertProblem(await login('tina', PASSWORD, fresh), 401, 'auth.totp_invalid');
    const [recovery = ''] = recoveryCodes;
    assert.equal((await login('tina', PASSWORD, recovery.toUpperCase())).status, 200);
    assertProblem(await login('tina', PASSWORD, recovery), 401, 'auth.totp_invalid');
    const off = (password: string) => h.call('DELETE', '/auth/totp', { token, body: { password } });
    assertProblem(await off('a guess'), 401, 'auth.login_failed');
    assert.equal((await off(PASSWORD)).status, 204);
    assert.equal((await login('tina', PASSWORD)).status, 200);
  });

  it('takes API tokens with at most the role of their owner, until they end or the owner is disabled', async () => {
    const { token } = await h.login('olga');
    const make = (role: string) =>
      h.call('POST', '/tokens', { token, body: { name: 'ci', role, expiresInSecs: 3600 } });
    assertProblem(await make('admin'), 403, 'auth.forbidden');
    const made = await make('analyst');
    assert.equal(made.status, 201, made.text);
    const { secret, token: info } = made.body as { secret: string; token: { id: string } };
    assert.ok(!JSON.stringify((await h.call('GET', '/tokens', { token })).body).includes(secret));
    const use = (method: string, path: string, body?: unknown) => h.call(method, path, { token: secret, body });
    assert.deepEqual((await use('GET', '/auth/me')).body, {
      name: 'token:ci', role: 'analyst', mustChangePassword: false, totpEnabled: false, recoveryCodesLeft: 0, lastLoginMs: null,
    }); // prettier-ignore
    assertProblem(await use('PUT', '/mode', { mode: 'enforce' }), 403, 'auth.forbidden');
    assertProblem(
      await use('POST', '/tokens', { name: 'x', role: 'viewer', expiresInSecs: 60 }),
      403,
      'auth.person_only',
    );
    assertProblem(await use('POST', '/auth/password', { current: 'x', next: 'y'.repeat(12) }), 403, 'auth.person_only');
    await h.store.users.update('olga', { disabled: true });
    assertProblem(await use('GET', '/status'), 401, 'auth.token_invalid');
    await h.store.users.update('olga', { disabled: false, role: 'viewer' });
    assert.equal(((await use('GET', '/auth/me')).body as { role: string }).role, 'viewer');
    await h.store.users.update('olga', { role: 'operator' });
    h.clock.ms += 3_600_001;
    assertProblem(await use('GET', '/status'), 401, 'auth.token_expired');
    const again = (await h.login('olga')).token;
    assert.equal((await h.call('DELETE', `/tokens/${info.id}`, { token: again })).status, 204);
  });

  it('keeps sessions and API tokens while the database can only be read, and no longer than they were valid', async (t) => {
    const { token, cookie } = await h.login('olga');
    const make = { name: 'disk', role: 'viewer', expiresInSecs: 7200 };
    const { secret } = (await h.call('POST', '/tokens', { token, body: make })).body as { secret: string };
    const code = (name: string) => new AppError({ kind: 'operational', code: name, message: 'The disk is full.' });
    let error = code('store.full');
    const fail = () => Promise.reject(error);
    const mocks = [t.mock.method(h.store.sessions, 'rotate', fail), t.mock.method(h.store.tokens, 'touch', fail)];
    h.clock.ms += 1_800_000;
    const answer = await refresh(cookie);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(cookieOf(answer), '', 'the cookie stays as it is');
    const { accessToken } = answer.body as LoginResponse;
    assert.equal((await h.call('GET', '/status', { token: accessToken })).status, 200);
    assert.equal((await h.call('GET', '/status', { token: secret })).status, 200);
    assertProblem(await refresh('portcullis_refresh=x.y'), 401, 'auth.refresh_invalid');
    error = code('store.corrupt');
    assertProblem(await refresh(cookie), 503, 'store.corrupt');
    assertProblem(await h.call('GET', '/status', { token: secret }), 503, 'store.corrupt');
    for (const { mock } of mocks) mock.restore();
    assert.notEqual(cookieOf(await refresh(cookie)), '', 'it is renewed when there is room');
  });

  it('shows nobody the tokens and sessions of others, but to an admin', async () => {
    await h.addUser('vera', 'viewer');
    const vera = (await h.login('vera')).token;
    const root = (await h.login('root')).token;
    const made = await h.call('POST', '/tokens', {
      token: root,
      body: { name: 'r', role: 'admin', expiresInSecs: 60 },
    });
    const { id } = (made.body as { token: { id: string } }).token;
    assert.deepEqual((await h.call('GET', '/tokens', { token: vera })).body, { items: [], nextCursor: null });
    assertProblem(await h.call('DELETE', `/tokens/${id}`, { token: vera }), 404, 'api.not_found');
    const users = async (token: string) =>
      new Set(
        ((await h.call('GET', '/sessions?limit=200', { token })).body as { items: { user: string }[] }).items.map(
          (s) => s.user,
        ),
      );
    assert.deepEqual(await users(vera), new Set(['vera']));
    assert.ok((await users(root)).size > 1);
    const ofRoot = (await h.store.sessions.list({ limit: 1 }, h.clock.ms, 'root')).items[0];
    assertProblem(await h.call('DELETE', `/sessions/${ofRoot?.id}`, { token: vera }), 404, 'api.not_found');
    const ofVera = (await h.store.sessions.list({ limit: 1 }, h.clock.ms, 'vera')).items[0];
    assert.equal((await h.call('DELETE', `/sessions/${ofVera?.id}`, { token: root })).status, 204);
    assertProblem(await h.call('GET', '/status', { token: vera }), 401, 'auth.token_invalid');
  });

  it('works on users: add, change role at once, reset, remove, but never the last admin or oneself', async () => {
    const root = (await h.login('root')).token;
    const call = (method: string, path: string, body?: unknown) => h.call(method, path, { token: root, body });
    const added = await call('POST', '/users', { name: 'nina', role: 'viewer' });
    assert.equal(added.status, 201, added.text);
    const { password } = added.body as { password: string };
    assert.match(password, /^([a-z2-9]{4}-){4}[a-z2-9]{4}$/);
    assertProblem(await call('POST', '/users', { name: 'nina', role: 'viewer' }), 409, 'user.exists');
    for (const name of ['Nina', '../x', 'a b', '', 'x'.repeat(40)]) {
      assertProblem(await call('POST', '/users', { name, role: 'viewer' }), 400, 'request.invalid');
    }
    const first = (await login('nina', password)).body as LoginResponse;
    assert.equal((await call('PATCH', '/users/nina', { role: 'analyst' })).status, 200);
    assertProblem(await h.call('GET', '/auth/me', { token: first.accessToken }), 401, 'auth.token_invalid');
    assertProblem(await call('PATCH', '/users/root', { role: 'viewer' }), 409, 'user.self');
    assertProblem(await call('DELETE', '/users/root'), 409, 'user.self');
    const local = signLocalToken(h.keys, h.clock.ms);
    assertProblem(await h.call('DELETE', '/users/root', { token: local }), 409, 'user.last_admin');
    assertProblem(
      await h.call('PATCH', '/users/root', { token: local, body: { disabled: true } }),
      409,
      'user.last_admin',
    );
    const reset = (await call('POST', '/users/nina/reset-password')).body as { password: string };
    assertProblem(await login('nina', password), 401, 'auth.login_failed');
    assert.equal((await login('nina', reset.password)).status, 200);
    assert.equal((await call('DELETE', '/users/nina')).status, 204);
    assertProblem(await call('DELETE', '/users/nina'), 404, 'api.not_found');
    assertProblem(await login('nina', reset.password), 401, 'auth.login_failed');
    const listed = (await call('GET', '/users')).text;
    assert.ok(!/scrypt|passwordHash|totpSecret|recovery/.test(listed), listed);
  });

  it('writes every change into the audit log with before and after, and no secret', async () => {
    const root = (await h.login('root')).token;
    await h.call('PUT', '/mode', { token: root, body: { mode: 'enforce' } });
    const log = await h.call('GET', '/audit?q=action:mode.set', { token: root });
    const [entry] = (log.body as { items: Record<string, unknown>[] }).items;
    assert.equal(entry?.['actor'], 'root');
    assert.equal(entry?.['address'], '127.0.0.1');
    assert.deepEqual([entry?.['before'], entry?.['after']], [{ mode: 'observe' }, { mode: 'enforce' }]);
    const check = await h.call('GET', '/audit/check', { token: root });
    assert.equal((check.body as { ok: boolean }).ok, true);
    const all = JSON.stringify(h.audited);
    assert.ok(!all.includes(PASSWORD) && !all.includes('scrypt') && !all.includes('pct_'));
  });

  it('accepts a token signed with the key file by root on the box, for a minute', async () => {
    const token = signLocalToken(h.keys, h.clock.ms);
    assert.equal((await h.call('GET', '/users', { token })).status, 200);
    assertProblem(await h.call('POST', '/auth/totp', { token }), 403, 'auth.person_only');
    h.clock.ms += 61_000;
    assertProblem(await h.call('GET', '/users', { token }), 401, 'auth.token_expired');
  });

  it('keeps the keys in a private file, rotates the signing key and refuses a damaged file', () => {
    const path = join(h.dataDir, 'keys.json');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const keys = openKeys(h.dataDir, 30);
    const nowMs = Date.now();
    const old = keys.signingKey(nowMs);
    const day = 86_400_000;
    const next = keys.signingKey(nowMs + 30.5 * day);
    assert.notEqual(next.kid, old.kid);
    assert.ok(keys.verificationKey(old.kid, nowMs + 30.6 * day), 'the old key verifies for one more day');
    assert.equal(keys.verificationKey(old.kid, nowMs + 32 * day), undefined);
    const sealed = keys.seal('secret');
    assert.equal(openKeys(h.dataDir).unseal(sealed), 'secret');
    const bytes = Buffer.from(sealed, 'base64url');
    bytes[bytes.length - 1]! ^= 1;
    assert.equal(keys.unseal(bytes.toString('base64url')), undefined);
    writeFileSync(path, '{"version":1}');
    assert.throws(() => openKeys(h.dataDir), { code: 'auth.key_file' });
  });
});
