import assert from 'node:assert/strict';
import { openApiServer } from '../../../src/api/index.js';
import type { LoginResponse } from '../../../src/contract/http.js';
import type { Learning } from '../../../src/daemons/server/training-parts.js';
import type { LabelVerdict } from '../../../src/domain/alert.js';
import type { Store } from '../../../src/store/index.js';
import { silentLogger } from '../../../src/util/logger.js';
import { createFakeControl } from '../../unit/api/fake-control.js';
import { quickPasswords as passwords } from '../../unit/api/harness.js';

const PASSWORD = 'correct horse battery staple';
/** What one request may name. */
const IDS_PER_REQUEST = 200;

export interface Judgement {
  verdict: LabelVerdict;
  class?: string;
}

/** People who work through the HTTP API of a server with this store and these models. */
export interface Analysts {
  label(name: 'ada' | 'bob', alertIds: readonly string[], judgement: Judgement): Promise<void>;
  ask<T>(name: 'ada' | 'bob', method: string, path: string, body: object): Promise<T>;
  close(): Promise<void>;
}

export async function openAnalysts(
  store: Store,
  learning: Learning,
  dataDir: string,
  now: () => number,
): Promise<Analysts> {
  const control = { ...createFakeControl(store), ...learning.control };
  const passwordHash = await passwords.hash(PASSWORD);
  for (const name of ['ada', 'bob']) {
    await store.users.add({
      name, role: 'admin', disabled: false, mustChangePassword: false, passwordHash, totpSecret: '', totpPending: '', totpLastStep: 0,
      recoveryHashes: '[]', createdMs: now(), lastLoginMs: 0, failedLogins: 0, lockedUntilMs: 0, epoch: 0,
    }); // prettier-ignore
  }
  const rates = { login: 10_000, read: 100_000, write: 100_000, heavy: 100_000 };
  const deps = { store, control, version: '0.0.0-test', log: silentLogger, onAudit: () => undefined, passwords, now };
  const api = await openApiServer({ port: 0, dataDir, rates }, deps);

  async function send<T>(method: string, path: string, body: object, token = ''): Promise<T> {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json', ...(token === '' ? {} : { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
  // The clock leaps, and a token lasts minutes.
  const login = async (username: string): Promise<string> =>
    (await send<LoginResponse>('POST', '/auth/login', { username, password: PASSWORD })).accessToken;
  const ask = async <T>(name: string, method: string, path: string, body: object): Promise<T> =>
    send<T>(method, path, body, await login(name));
  return {
    ask,
    async label(name, alertIds, judgement) {
      for (let at = 0; at < alertIds.length; at += IDS_PER_REQUEST) {
        const ids = alertIds.slice(at, at + IDS_PER_REQUEST);
        const { changed } = await ask<{ changed: number }>(name, 'POST', '/alerts/bulk-label', { ids, ...judgement });
        assert.equal(changed, ids.length);
      }
    },
    close: () => api.close(),
  };
}
