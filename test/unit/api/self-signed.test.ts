import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { createSelfSigned, ensureSelfSigned } from '../../../src/api/self-signed.js';
import { startHarness } from './harness.js';

const DAY_MS = 86_400_000;

describe('the self-signed certificate', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tls-'));
  after(() => {
    rmSync(dir, { recursive: true });
  });

  it('names the box, is signed by its own key, and may serve and nothing else', () => {
    const nowMs = Date.now();
    const { cert, key } = createSelfSigned(['fw.example', '192.0.2.1', '2001:db8::1'], nowMs);
    const parsed = new X509Certificate(cert);
    assert.ok(parsed.verify(parsed.publicKey), 'its own signature holds');
    assert.ok(
      !new X509Certificate(createSelfSigned(['x'], nowMs).cert).verify(parsed.publicKey),
      'another one does not',
    );
    assert.equal(parsed.checkHost('fw.example'), 'fw.example');
    assert.equal(parsed.checkHost('other.example'), undefined);
    assert.equal(parsed.checkIP('192.0.2.1'), '192.0.2.1');
    assert.equal(parsed.checkIP('2001:db8::1'), '2001:db8::1');
    assert.equal(parsed.ca, false);
    assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1']);
    const days = (Date.parse(parsed.validTo) - nowMs) / DAY_MS;
    assert.ok(days > 396 && days < 398, String(days));
    assert.match(key, /BEGIN PRIVATE KEY/);
  });

  it('is kept over restarts, private, and replaced before it ends', () => {
    const nowMs = Date.now();
    const first = ensureSelfSigned(dir, nowMs);
    assert.equal(ensureSelfSigned(dir, nowMs + 300 * DAY_MS).fingerprint, first.fingerprint);
    assert.equal(statSync(first.keyFile).mode & 0o777, 0o600);
    assert.notEqual(ensureSelfSigned(dir, nowMs + 380 * DAY_MS).fingerprint, first.fingerprint);
  });

  it('serves HTTPS with HSTS where no certificate is configured and others could listen', async () => {
    const h = await startHarness({ tls: {} });
    try {
      assert.match(h.api.url, /^https:/);
      const ca = readFileSync(join(h.dataDir, 'tls', 'self-signed.pem'));
      const answer = await new Promise<{ status?: number | undefined; hsts: unknown }>((resolve, reject) => {
        request(`${h.api.url}/health`, { ca, servername: 'localhost' }, (response) => {
          response.resume();
          resolve({ status: response.statusCode, hsts: response.headers['strict-transport-security'] });
        })
          .on('error', reject)
          .end();
      });
      assert.deepEqual(answer, { status: 200, hsts: 'max-age=31536000; includeSubDomains' });
    } finally {
      await h.close();
    }
  });
});
