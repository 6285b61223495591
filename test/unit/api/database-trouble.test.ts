import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { Secret, TOTP } from 'otpauth';
import { signLocalToken } from '../../../src/api/local/index.js';
import type { Page, TotpStartResponse } from '../../../src/contract/http.js';
import type { Decision } from '../../../src/domain/decision.js';
import { AppError } from '../../../src/util/errors.js';
import { sampleDecision } from '../store/samples.js';
import { assertProblem, PASSWORD, quickPasswords, startHarness, type Answer, type Harness } from './harness.js';

describe('while the database does not answer', () => {
  let h: Harness;
  before(async () => {
    h = await startHarness();
    const away = (): Promise<never> =>
      Promise.reject(new AppError({ kind: 'operational', code: 'store.unreachable', message: 'away' }));
    Object.assign(h.store.decisions, { get: away, list: away });
  });
  after(() => h.close());
  const local = (): string => signLocalToken(h.keys, h.clock.ms);

  it('the command on the box lists what is in force, page by page, and finds it by its address', async () => {
    const decisions = Array.from({ length: 5 }, (_, n) =>
      sampleDecision({ value: `203.0.113.${n}`, createdMs: Math.floor(n / 2), enforcement: 'applied' }),
    );
    h.control.decisionsInForce = () => decisions;
    const found: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await h.call('GET', `/decisions?limit=2${cursor && `&cursor=${cursor}`}`, { token: local() });
      assert.equal(page.status, 200, page.text);
      const { items, nextCursor } = page.body as Page<Decision>;
      found.push(...items.map(({ value }) => value));
      cursor = nextCursor;
    }
    assert.deepEqual(
      [...found].sort(),
      decisions.map(({ value }) => value),
    );
    assert.equal(found[0], '203.0.113.4', 'newest first');
    const one = await h.call('GET', '/decisions?q=ip:203.0.113.3', { token: local() });
    assert.deepEqual(
      (one.body as Page<Decision>).items.map(({ value }) => value),
      ['203.0.113.3'],
    );
  });

  it('a search that needs it, and what is over, is refused rather than answered with nothing', async () => {
    for (const query of ['q=policy:scan', 'state=all']) {
      assertProblem(await h.call('GET', `/decisions?${query}`, { token: local() }), 503, 'store.unreachable');
    }
  });
});

describe('people log in while the database takes nothing, as on a full disk', () => {
  const dir = mkdtempSync(join(tmpdir(), 'api-full-'));
  const path = join(dir, 'full.db');
  let h: Harness;
  let other: Database.Database;
  let totp: TOTP;
  before(async () => {
    h = await startHarness({}, { passwords: quickPasswords }, { kind: 'sqlite', path, busyTimeoutMs: 1 });
    for (const name of ['olga', 'nils', 'tina']) await h.addUser(name, 'admin');
    const { token } = await h.login('tina');
    totp = new TOTP({
      secret: Secret.fromBase32(((await h.call('POST', '/auth/totp', { token })).body as TotpStartResponse).secret),
    });
    const body = { code: totp.generate({ timestamp: h.clock.ms }) };
    assert.equal((await h.call('POST', '/auth/totp/confirm', { token, body })).status, 200);
    other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(h.store.users.update('olga', { role: 'viewer' }), { code: 'store.locked' }, 'control');
  });
  after(async () => {
    other.close();
    await h.close();
    rmSync(dir, { recursive: true });
  });

  const login = (username: string, password: string, code?: string): Promise<Answer> =>
    h.call('POST', '/auth/login', { body: { username, password, ...(code === undefined ? {} : { totp: code }) } });

  it('opens a session that is known, renewed and ended', async () => {
    const { token, cookie } = await h.login('olga');
    assert.equal((await h.call('GET', '/auth/me', { token })).status, 200);
    const refreshed = await h.call('POST', '/auth/refresh', { headers: { Cookie: cookie } });
    assert.equal(refreshed.status, 200, refreshed.text);
    const cookies = refreshed.headers.getSetCookie().map((text) => text.split(';')[0] ?? '');
    assert.equal((await h.call('POST', '/auth/logout', { headers: { Cookie: cookies.join('; ') } })).status, 204);
    assertProblem(await h.call('GET', '/auth/me', { token }), 401, 'auth.token_invalid');
  });

  it('counts wrong passwords, and locks as long', async () => {
    for (let i = 0; i < 5; i++) assertProblem(await login('nils', 'x'), 401, 'auth.login_failed');
    assertProblem(await login('nils', PASSWORD), 429, 'auth.locked');
    h.clock.ms += 61_000;
    assert.equal((await login('nils', PASSWORD)).status, 200);
    for (let i = 0; i < 4; i++) assertProblem(await login('nils', 'x'), 401, 'auth.login_failed');
    assert.equal((await login('nils', PASSWORD)).status, 200, 'success starts the count again');
  });

  it('takes a code of the second factor once', async () => {
    const code = totp.generate({ timestamp: h.clock.ms });
    assertProblem(await login('tina', PASSWORD), 401, 'auth.totp_required');
    assert.equal((await login('tina', PASSWORD, code)).status, 200);
    assertProblem(await login('tina', PASSWORD, code), 401, 'auth.totp_invalid');
  });
});
