import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { nestsDeeper } from '../../../src/api/middleware/body.js';
import { assertProblem, startHarness, type Harness } from './harness.js';

/**
 * Sends bytes as they are, past every client that would tidy them up, and gives back the whole answer.
 * @param drip what is sent again and again afterwards.
 */
function raw(port: number, request: string, drip?: { text: string; everyMs: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', reject);
    const timer = drip && setInterval(() => socket.write(drip.text), drip.everyMs);
    socket.on('close', () => {
      clearInterval(timer);
      resolve(text);
    });
    socket.write(request);
  });
}

describe('HTTP server', () => {
  let h: Harness;
  let token: string;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'static-'));
    const site = join(dir, 'site');
    mkdirSync(join(site, 'assets'), { recursive: true });
    writeFileSync(join(dir, 'secret.json'), '{"secret":true}');
    writeFileSync(join(site, 'index.html'), '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__">');
    writeFileSync(join(site, 'assets', 'index-AbCd1234.js'), 'export const x = 1;\n'.repeat(200));
    writeFileSync(join(site, 'robots.txt'), 'User-agent: *');
    writeFileSync(join(site, '.env'), 'SECRET=1');
    h = await startHarness({ staticDir: site, bodyLimitBytes: 4096, requestTimeoutSecs: 2 });
    await h.addUser('olga', 'operator');
    token = (await h.login('olga')).token;
  });
  after(async () => {
    await h.close();
    rmSync(dir, { recursive: true });
  });

  it('sends strict headers with every answer', async () => {
    for (const path of ['//', '//health', '/status', '//nothing.js']) {
      const { headers } = await h.call('GET', path);
      const csp = headers.get('content-security-policy') ?? '';
      assert.match(csp, /default-src 'none'; script-src 'self';/, path);
      assert.match(csp, /frame-ancestors 'none'/);
      assert.doesNotMatch(csp, /unsafe/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('access-control-allow-origin'), null);
      assert.equal(headers.get('strict-transport-security'), null, 'HSTS is for TLS only');
      assert.equal(headers.get('x-powered-by'), null);
    }
  });

  it('serves the console with a fresh nonce, its pages by fallback, and hashed files for ever', async () => {
    const page = await h.call('GET', '//alerts/some-id', { headers: { Accept: 'text/html' } });
    const other = await h.call('GET', '//');
    const nonce = /nonce="([^"]+)"/.exec(page.text)?.[1] ?? '';
    assert.equal(nonce.length, 24);
    assert.ok(page.headers.get('content-security-policy')?.includes(`'nonce-${nonce}'`));
    assert.notEqual(/nonce="([^"]+)"/.exec(other.text)?.[1], nonce);
    assert.equal(page.headers.get('cache-control'), 'no-store');
    const script = await h.call('GET', '//assets/index-AbCd1234.js');
    assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable');
    assert.equal(script.headers.get('content-encoding'), 'gzip');
    assert.equal(script.text, 'export const x = 1;\n'.repeat(200));
    const etag = script.headers.get('etag') ?? '';
    // Not through fetch, which asks for a full answer when it is given an etag.
    const head = 'GET /assets/index-AbCd1234.js HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    assert.match(await raw(h.api.port, `${head}If-None-Match: ${etag}\r\n\r\n`), /^HTTP\/1.1 304 /);
    assert.match(await raw(h.api.port, `${head}If-None-Match: "x"\r\n\r\n`), /^HTTP\/1.1 200 /);
    assert.equal((await h.call('GET', '//robots.txt')).headers.get('cache-control'), 'no-cache');
    assertProblem(await h.call('GET', '//assets/missing.js'), 404, 'api.not_found');
    assert.doesNotMatch((await h.call('GET', '//.env')).text, /SECRET/);
    assert.match((await h.call('GET', '//hosts/203.0.113.7')).text, /^<!doctype html>/);
    assertProblem(await h.call('GET', '//missing.json'), 404, 'api.not_found');
    assertProblem(await h.call('GET', '/nothing'), 404, 'api.not_found');
    assertProblem(await h.call('POST', '//robots.txt'), 404, 'api.not_found');
  });

  it('never leaves the directory of the console', async () => {
    const attempts = [
      '/../secret.json', '/assets/../../secret.json', '/%2e%2e/secret.json', '/..%2fsecret.json', '/%2e%2e%2fsecret.json',
      '/assets/..%5c..%5csecret.json', '//secret.json', '/./../secret.json', '/%00/../secret.json', '/assets/%c0%ae%c0%ae/secret.json',
      `/${dir}/secret.json`, '/....//secret.json', '/%252e%252e%252fsecret.json', '/api/../../secret.json', '/api/v1/../../../secret.json',
    ]; // prettier-ignore
    for (const path of attempts) {
      const answer = await raw(h.api.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1.1 (400|401|404|200) /, path);
      assert.doesNotMatch(answer, /"secret":true/, path);
    }
  });

  it('refuses bodies that are too long, too deep, not JSON, or not of the contract', async () => {
    const post = (body: string, headers: Record<string, string> = {}) =>
      h.call('POST', '/policies/validate', { token, body, headers });
    assert.equal((await post('{"yaml":"a: 1"}')).status, 200);
    assertProblem(await post(JSON.stringify({ yaml: 'x'.repeat(5000) })), 413, 'request.too_large');
    assertProblem(await post('{"yaml":'), 400, 'request.malformed');
    assertProblem(await post('['.repeat(2000)), 400, 'request.malformed');
    assertProblem(await post('{"a":'.repeat(500)), 400, 'request.malformed');
    assertProblem(await post('{"yaml":"a"}', { 'Content-Type': 'text/plain' }), 415, 'request.not_json');
    assertProblem(await post('{"yaml":"a"}', { 'Content-Type': 'application/jsonx' }), 415, 'request.not_json');
    const unknown = assertProblem(await post('{"yaml":"a","__proto__":{"x":1},"extra":1}'), 400, 'request.invalid');
    assert.ok((unknown.errors ?? []).length > 0);
    assertProblem(await post('null'), 400, 'request.invalid');
    assertProblem(await h.call('POST', '/policies/validate', { token }), 400, 'request.invalid');
    assertProblem(await h.call('GET', '/alerts?limit=0', { token }), 400, 'request.invalid');
    assertProblem(await h.call('GET', '/alerts?limit=5&limit=6', { token }), 400, 'request.invalid');
    assertProblem(await h.call('GET', '/alerts?unknown=1', { token }), 400, 'request.invalid');
    assertProblem(await h.call('GET', '/alerts/not-a-uuid', { token }), 400, 'request.invalid');
    assertProblem(await h.call('GET', '/alerts?q=colour:red', { token }), 400, 'search.invalid');
    assertProblem(await h.call('GET', '/alerts?cursor=abc', { token }), 400, 'search.cursor');
  });

  it('measures the depth of JSON outside strings only', () => {
    assert.equal(nestsDeeper('[[[]]]', 3), false);
    assert.equal(nestsDeeper('[[[]]]', 2), true);
    assert.equal(nestsDeeper('["[[[[","\\"[[["]', 1), false);
    assert.equal(nestsDeeper('[{},{},{},[]]', 2), false);
  });

  it('cuts a body that announces less than it sends, and one that grows without end', async () => {
    const head = `POST /api/v1/policies/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${'400\r\n'.concat('x'.repeat(1024), '\r\n').repeat(8)}`;
    assert.match(await raw(h.api.port, chunked), /^HTTP\/1.1 413 /);
    const smuggle = `${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /api/v1/users HTTP/1.1\r\n\r\n`;
    assert.match(await raw(h.api.port, smuggle), /^HTTP\/1.1 400 /);
  });

  it('logs nothing of a request that ends before its body does', async () => {
    const head = `POST /api/v1/policies/validate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const before = h.errors.length;
    for (const rest of [
      'Transfer-Encoding: xchunked\r\n\r\nabc',
      'Transfer-Encoding: chunked\r\n\r\nno number\r\n',
      'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\nno number\r\n',
    ]) {
      assert.match(await raw(h.api.port, head + rest), /^HTTP\/1.1 400 /);
    }
    const socket = connect(h.api.port, '127.0.0.1');
    socket.write(`${head}Content-Length: 100\r\n\r\n{`);
    await once(socket, 'connect');
    socket.destroy();
    assert.equal((await h.call('GET', '/status', { token })).status, 200);
    assert.deepEqual(h.errors.slice(before), []);
  });

  it('gives up on a client that sends slower than a request may take', async () => {
    const started = Date.now();
    const line = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    // One stops in its body, one within its headers, one sends a header line now and then for ever.
    const answers = await Promise.all([
      raw(h.api.port, `${line}Content-Length: 100\r\n\r\n{`),
      raw(h.api.port, line),
      raw(h.api.port, line, { text: 'X-More: 1\r\n', everyMs: 300 }),
    ]);
    for (const answer of answers) assert.match(answer, /^HTTP\/1.1 408 |^$/);
    assert.ok(Date.now() - started < 20_000);
    assert.equal((await h.call('GET', '//health')).status, 200);
  });

  it('limits requests from one address, and says how long to wait', async () => {
    const slow = await startHarness({ rates: { login: 3, read: 1000, write: 1000, heavy: 1000 } });
    try {
      const attempt = () => slow.call('POST', '/auth/login', { body: { username: 'x' } });
      for (let i = 0; i < 3; i++) assertProblem(await attempt(), 400, 'request.invalid');
      const refused = await attempt();
      const problem = assertProblem(refused, 429, 'request.rate');
      assert.ok((problem.retryAfterSecs ?? 0) >= 1 && (problem.retryAfterSecs ?? 0) <= 60);
      assert.equal(refused.headers.get('retry-after'), String(problem.retryAfterSecs));
      assert.equal((await slow.call('GET', '/status')).status, 401, 'other classes go on');
    } finally {
      await slow.close();
    }
  });

  it('tells machines how it is: health, readiness, metrics and the API document', async () => {
    const health = await h.call('GET', '//health');
    assert.equal(health.status, 200);
    assert.deepEqual((health.body as { components: object }).components, {
      responder: { ok: true, detail: 'connected' },
      database: { ok: true, detail: 'sqlite' },
    });
    assert.equal((await h.call('GET', '//ready')).status, 200);
    const metrics = await h.call('GET', '//metrics');
    assert.match(metrics.text, /^portcullis_packets_total 7$/m);
    assert.match(metrics.text, /^portcullis_store_flows_shed 0$/m);
    assert.match(metrics.headers.get('content-type') ?? '', /version=0\.0\.4/);
    assert.equal(((await h.call('GET', '//openapi.json')).body as { openapi: string }).openapi, '3.1.0');
  });

  it('knows a box by whatever name its administrator gave it', async () => {
    await h.addUser('otto', 'operator');
    const { token } = await h.login('otto');
    const body = { running: false };
    for (const name of ['Büro Köln, FW 1', 'a/b', '%2e%2e']) {
      const answer = await h.call('POST', `/sensors/${encodeURIComponent(name)}/capture`, { token, body });
      assertProblem(answer, 404, 'sensor.not_found');
    }
    assertProblem(await h.call('POST', '/sensors/a%0ab/capture', { token, body }), 400, 'request.invalid');
  });

  it('hides the cause of a failure and logs it', async () => {
    const broken = await startHarness();
    try {
      await broken.addUser('olga', 'operator');
      const { token: own } = await broken.login('olga');
      broken.control.status = () => {
        throw new TypeError('secret detail of the inside');
      };
      const answer = await broken.call('GET', '/status', { token: own });
      assertProblem(answer, 500, 'api.internal');
      assert.doesNotMatch(answer.text, /secret detail/);
      assert.equal(broken.errors.length, 1);
      broken.control.status = () => ({ nonsense: true }) as never;
      assertProblem(await broken.call('GET', '/status', { token: own }), 500, 'api.answer_invalid');
    } finally {
      await broken.close();
    }
  });
});
