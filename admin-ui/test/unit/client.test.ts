import { describe, expect, it, vi } from 'vitest';
import { createApiClient, formatQuery } from '@/api/client';
import { ApiError } from '@/api/errors';

const json = (status: number, body: unknown): Response =>
  new Response(body === undefined ? null : JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json' },
  });
const grant = (token: string) => ({ accessToken: token, expiresInSecs: 600, user: { name: 'admin' } });
const now = <T>(_name: string, run: () => Promise<T>): Promise<T> => run();

/** A server that accepts one token and hands out the next one at each refresh. */
function fakeServer(options: { refreshStatus?: number } = {}) {
  const calls: { method: string; path: string; token: string | null }[] = [];
  const server = {
    valid: 'token-1',
    refreshes: 0,
    calls,
    fetch: vi.fn(async (url: string | URL | Request, init?: RequestInit) => {
      const path = String(url).replace('/api/v1', '');
      const token = new Headers(init?.headers).get('authorization');
      calls.push({ method: init?.method ?? 'GET', path, token });
      await Promise.resolve();
      if (path === '/auth/login') return json(200, grant('token-1'));
      if (path === '/auth/refresh') {
        server.refreshes += 1;
        if (options.refreshStatus)
          return json(options.refreshStatus, { code: 'auth.expired', title: 'x', status: options.refreshStatus });
        server.valid = `token-${server.refreshes + 1}`;
        return json(200, grant(server.valid));
      }
      return token === `Bearer ${server.valid}`
        ? json(200, { ok: true })
        : json(401, { code: 'auth.expired', title: 'expired', status: 401 });
    }),
  };
  return server;
}
const connect = (server: ReturnType<typeof fakeServer>) =>
  createApiClient<{ name: string }>({ fetch: server.fetch as unknown as typeof fetch, exclusive: now });

describe('the API client', () => {
  it('sends the access token and keeps it out of storage', async () => {
    const server = fakeServer();
    const client = connect(server);
    await client.login({ username: 'admin', password: 'x' });
    await client.get('/status');
    expect(server.calls.at(-1)?.token).toBe('Bearer token-1');
    expect(JSON.stringify({ ...localStorage, ...sessionStorage })).not.toContain('token-1');
    expect(document.cookie).not.toContain('token-1');
  });

  it('refreshes once and repeats the request after a 401', async () => {
    const server = fakeServer();
    const client = connect(server);
    await client.login({ username: 'admin', password: 'x' });
    server.valid = 'another';
    await expect(client.get('/status')).resolves.toEqual({ ok: true });
    expect(server.refreshes).toBe(1);
  });

  it('shares one refresh between requests that fail together', async () => {
    const server = fakeServer();
    const client = connect(server);
    await client.login({ username: 'admin', password: 'x' });
    server.valid = 'another';
    await Promise.all([client.get('/a'), client.get('/b'), client.get('/c')]);
    expect(server.refreshes).toBe(1);
  });

  it('signs out when the refresh is refused, and does not try again by itself', async () => {
    const server = fakeServer({ refreshStatus: 401 });
    const client = connect(server);
    const signedOut = vi.fn();
    client.onSignedOut(signedOut);
    await client.login({ username: 'admin', password: 'x' });
    server.valid = 'another';
    await expect(client.get('/status')).rejects.toMatchObject({ status: 401 });
    expect(signedOut).toHaveBeenCalledTimes(1);
    expect(server.refreshes).toBe(1);
    const asked = server.fetch.mock.calls.length;
    await expect(client.get('/status')).rejects.toMatchObject({ status: 401 });
    expect(server.fetch.mock.calls.length, 'pages that wait do not ask on and on').toBe(asked);
    server.valid = 'token-1';
    await client.login({ username: 'admin', password: 'x' });
    await client.get('/status');
  });

  it('does not sign out when the server is away during a refresh', async () => {
    const server = fakeServer();
    const client = connect(server);
    const signedOut = vi.fn();
    client.onSignedOut(signedOut);
    await client.login({ username: 'admin', password: 'x' });
    server.fetch.mockImplementation(async (url) => {
      if (String(url).endsWith('/auth/refresh')) throw new TypeError('failed to fetch');
      return json(401, { code: 'auth.expired', title: 'x', status: 401 });
    });
    await expect(client.get('/status')).rejects.toMatchObject({ status: 0 });
    expect(signedOut).not.toHaveBeenCalled();
  });

  it('turns a wrong password into an error without a refresh', async () => {
    const server = fakeServer();
    server.fetch.mockImplementation(async () =>
      json(401, { code: 'auth.invalid', title: 'no', status: 401, detail: 'Wrong.' }),
    );
    const client = connect(server);
    await expect(client.login({ username: 'a', password: 'b' })).rejects.toMatchObject({
      code: 'auth.invalid',
      message: 'Wrong.',
    });
    expect(server.fetch).toHaveBeenCalledTimes(1);
  });

  it('refreshes ahead of time only when the token is about to end', async () => {
    const server = fakeServer();
    let clock = 0;
    const client = createApiClient<{ name: string }>({
      fetch: server.fetch as unknown as typeof fetch,
      exclusive: now,
      now: () => clock,
    });
    await client.login({ username: 'admin', password: 'x' });
    expect(await client.freshToken()).toBe('token-1');
    clock = 575_000;
    expect(await client.freshToken()).toBe('token-2');
    expect(server.refreshes).toBe(1);
  });

  it('reads problem details with field errors and answers 204 with nothing', async () => {
    const fetch = vi.fn(async () =>
      json(400, {
        code: 'request.invalid',
        title: 'Bad',
        status: 400,
        detail: 'Bad',
        errors: [{ path: 'value', message: 'not an address' }],
      }),
    );
    const client = createApiClient({ fetch: fetch as unknown as typeof globalThis.fetch, exclusive: now });
    const error = await client.post('/decisions', {}).catch((e: unknown) => e as ApiError);
    expect(error).toBeInstanceOf(ApiError);
    expect((error as ApiError).problems).toEqual([{ path: 'value', message: 'not an address' }]);
    fetch.mockImplementation(async () => new Response(null, { status: 204 }));
    await expect(client.delete('/allowlist/1')).resolves.toBeUndefined();
  });

  it('leaves empty values out of the query', () => {
    expect(formatQuery({ q: 'ip:203.0.113.7 -x', cursor: undefined, limit: 50, empty: '' })).toBe(
      '?q=ip%3A203.0.113.7+-x&limit=50',
    );
    expect(formatQuery({})).toBe('');
  });
});
