import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LoginResponse, Passkey } from '../../../src/contract/http.js';
import { createAuthenticator } from './authenticator.js';
import { assertProblem, cookieOf, PASSWORD, startHarness, type Harness } from './harness.js';

interface Start {
  challengeId: string;
  options: { challenge: string; rpId?: string; rp?: { id: string } };
}

describe('passkeys', () => {
  let h: Harness;
  let origin: string;
  let token: string;
  before(async () => {
    h = await startHarness();
    // The page is opened by name: passkeys are not for addresses.
    origin = h.api.url.replace('127.0.0.1', 'localhost');
    await h.addUser('pia', 'operator');
    token = (await h.login('pia')).token;
  });
  after(() => h.close());

  const post = (path: string, body?: unknown, as?: string) =>
    h.call('POST', path, { body, token: as, headers: { Origin: origin }, base: origin });
  const startLogin = async () => (await post('/auth/passkey/start')).body as Start;
  async function register(authenticator: ReturnType<typeof createAuthenticator>, name = 'laptop') {
    const start = (await post('/auth/passkeys/start', { password: PASSWORD }, token)).body as Start;
    const response = authenticator.register(start.options.challenge);
    return post('/auth/passkeys', { challengeId: start.challengeId, name, response }, token);
  }

  it('asks for the password, registers, logs in without one, and is removed with the password', async () => {
    assertProblem(await post('/auth/passkeys/start', { password: 'a guess' }, token), 401, 'auth.login_failed');
    const authenticator = createAuthenticator(origin);
    const added = await register(authenticator);
    assert.equal(added.status, 201, added.text);
    const { id } = added.body as Passkey;

    const { challengeId, options } = await startLogin();
    assert.equal(options.rpId, 'localhost');
    const answer = await post('/auth/passkey', { challengeId, response: authenticator.login(options.challenge) });
    assert.equal(answer.status, 200, answer.text);
    const login = answer.body as LoginResponse;
    assert.equal(login.user.name, 'pia');
    assert.match(cookieOf(answer), /^portcullis_refresh=/);
    assert.equal((await h.call('GET', '/status', { token: login.accessToken })).status, 200);
    const again = await post('/auth/passkey', { challengeId, response: authenticator.login(options.challenge) });
    assertProblem(again, 401, 'auth.passkey_invalid');

    const remove = (password: string) => h.call('DELETE', `/auth/passkeys/${id}`, { token, body: { password } });
    assertProblem(await remove('a guess'), 401, 'auth.login_failed');
    assert.equal((await remove(PASSWORD)).status, 204);
    const gone = await startLogin();
    const refused = await post('/auth/passkey', {
      challengeId: gone.challengeId,
      response: authenticator.login(gone.options.challenge),
    });
    assertProblem(refused, 401, 'auth.passkey_invalid');
  });

  it('refuses another site, an unverified user, a copied authenticator, a foreign challenge and a disabled user', async () => {
    const authenticator = createAuthenticator(origin);
    assert.equal((await register(authenticator)).status, 201);
    const attempt = async (answer: (challenge: string) => Record<string, unknown>) => {
      const { challengeId, options } = await startLogin();
      return post('/auth/passkey', { challengeId, response: answer(options.challenge) });
    };
    assert.equal((await attempt((c) => authenticator.login(c))).status, 200, 'the untouched one is accepted');
    const phish = createAuthenticator('http://evil.example', 'localhost');
    assertProblem(await attempt((c) => phish.login(c)), 401, 'auth.passkey_invalid');
    assertProblem(await attempt((c) => authenticator.login(c, { verified: false })), 401, 'auth.passkey_invalid');
    assertProblem(await attempt(() => authenticator.login('AAAA')), 401, 'auth.passkey_invalid');
    authenticator.rewind();
    assertProblem(await attempt((c) => authenticator.login(c)), 401, 'auth.passkey_invalid');
    assertProblem(await attempt(() => ({})), 401, 'auth.passkey_invalid');
    const another = createAuthenticator(origin);
    assert.equal((await register(another, 'phone')).status, 201);
    await h.store.users.update('pia', { disabled: true });
    assertProblem(await attempt((c) => another.login(c)), 401, 'auth.login_failed');
    await h.store.users.update('pia', { disabled: false });
  });

  it('is not offered where the page was opened by an address, nor without a page', async () => {
    const byAddress = await h.call('POST', '/auth/passkey/start', { headers: { Origin: h.api.url } });
    assertProblem(byAddress, 409, 'auth.passkey_host');
    assertProblem(await h.call('POST', '/auth/passkey/start'), 403, 'auth.origin');
  });
});
