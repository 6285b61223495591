import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ResponseResult } from '../../../src/contract/http.js';
import { startHarness, type Harness } from './harness.js';

let h: Harness;
let operator = '';
before(async () => {
  h = await startHarness();
  await h.addUser('olga', 'operator');
  operator = (await h.login('olga')).token;
});
after(() => h.close());

async function tokenOf(scope: string, role = 'operator'): Promise<string> {
  const body = { name: `t-${scope}`, role, scope, expiresInSecs: 3600 };
  const answer = await h.call('POST', '/tokens', { token: operator, body });
  assert.equal(answer.status, 201, answer.text);
  return (answer.body as { secret: string }).secret;
}

const request = (idempotencyKey: string, change: object = {}) => ({
  idempotencyKey,
  source: 'splunk',
  reference: 'notable 17',
  items: [{ op: 'block', value: '203.0.113.7', durationSecs: 600, reason: 'beaconing' }],
  ...change,
});
const responds = () => h.control.calls.filter(([name]) => name === 'respond').length;

describe('response requests', () => {
  it('are worked on once for each key; the same request again gets the first answer', async () => {
    const token = await tokenOf('respond');
    const calls = responds();
    const first = await h.call('POST', '/response-requests', { token, body: request('notable-17-block') });
    assert.equal(first.status, 200, first.text);
    const again = await h.call('POST', '/response-requests', { token, body: request('notable-17-block') });
    const [a, b] = [first.body as ResponseResult, again.body as ResponseResult];
    assert.equal(a.replayed, false);
    assert.deepEqual({ ...b, replayed: false }, a);
    assert.equal(b.replayed, true);
    assert.equal(responds(), calls + 1);
    const other = await h.call('POST', '/response-requests', {
      token,
      body: request('notable-17-block', { reference: 'notable 18' }),
    });
    assert.equal(other.status, 409);
    assert.match(other.text, /response\.conflict/);
  });

  it('that arrive together with one key are worked on once', async () => {
    const token = await tokenOf('respond');
    const calls = responds();
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => h.call('POST', '/response-requests', { token, body: request('at-once-1') })),
    );
    assert.equal(responds(), calls + 1);
    for (const { status, text } of answers) assert.ok(status === 200 || status === 503, text);
    assert.ok(answers.some((a) => a.status === 200));
  });

  it('whose server died before it answered can be taken over after a minute', async () => {
    const token = await tokenOf('respond');
    const { respond } = h.control;
    const client = new AbortController();
    const { signal } = client;
    h.control.respond = () => {
      client.abort();
      return new Promise(() => undefined);
    };
    const url = `${h.api.url}/api/v1/response-requests`;
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    await assert.rejects(fetch(url, { method: 'POST', headers, body: JSON.stringify(request('dies-here')), signal }));
    h.control.respond = respond;
    const soon = await h.call('POST', '/response-requests', { token, body: request('dies-here') });
    assert.equal(soon.status, 503);
    h.clock.ms += 61_000;
    const later = await h.call('POST', '/response-requests', { token, body: request('dies-here') });
    assert.equal(later.status, 200, later.text);
  });

  it('are in the audit log item by item, and in the list', async () => {
    const token = await tokenOf('respond');
    const from = h.audited.length;
    await h.call('POST', '/response-requests', { token, body: request('audited-1') });
    const [entry] = h.audited.slice(from);
    assert.equal(entry?.action, 'response.block');
    assert.equal(entry?.actor, 'token:t-respond');
    assert.match(entry?.reason ?? '', /splunk notable 17/);
    const list = await h.call('GET', '/response-requests', { token: operator });
    const items = (list.body as { items: ResponseResult[] }).items;
    assert.ok(items.some((i) => i.idempotencyKey === 'audited-1' && i.actor === 'token:t-respond'));
  });

  it('that are not of the contract say every problem', async () => {
    const token = await tokenOf('respond');
    const body = { idempotencyKey: 'x', source: '', items: [] };
    const answer = await h.call('POST', '/response-requests', { token, body });
    assert.equal(answer.status, 400);
    const paths = (answer.body as { errors: { path: string }[] }).errors.map((e) => e.path);
    assert.deepEqual(paths.sort(), ['idempotencyKey', 'items', 'source']);
  });
});

describe('token scopes', () => {
  it('let a respond token do that and nothing else', async () => {
    const token = await tokenOf('respond');
    for (const [method, path] of [
      ['GET', '/status'],
      ['POST', '/decisions'],
      ['GET', '/response-requests'],
      ['GET', '//metrics'],
    ] as const) {
      const answer = await h.call(method, path, { token, body: method === 'POST' ? {} : undefined });
      // /metrics is open on the box itself, with or without a token.
      if (path === '//metrics') continue;
      assert.equal(answer.status, 403, `${path}: ${answer.text}`);
      assert.match(answer.text, /auth\.scope/, path);
    }
    const live = await tokenOf('remediation', 'viewer');
    const refused = await h.call('POST', '/response-requests', { token: live, body: request('not-for-me') });
    assert.match(refused.text, /auth\.scope/);
  });

  it('do not lift the role: a viewer cannot make a token that responds', async () => {
    await h.addUser('vera', 'viewer');
    const { token } = await h.login('vera');
    const body = { name: 'v', role: 'viewer', scope: 'respond', expiresInSecs: 3600 };
    const made = await h.call('POST', '/tokens', { token, body });
    const { secret } = made.body as { secret: string };
    const answer = await h.call('POST', '/response-requests', { token: secret, body: request('as-a-viewer') });
    assert.equal(answer.status, 403);
    assert.match(answer.text, /auth\.forbidden/);
  });
});
