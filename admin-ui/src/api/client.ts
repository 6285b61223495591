import { ApiError, toApiError } from './errors';

export type Query = Record<string, string | number | boolean | undefined | null>;

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  /** Sent as it is instead of a JSON body. */
  file?: Blob;
  signal?: AbortSignal;
  /** Requests of the sign-in itself carry no token and are not repeated. */
  anonymous?: boolean;
}

export interface Grant<User> {
  accessToken: string;
  expiresInSecs: number;
  user: User;
}

export interface ClientDeps {
  base?: string;
  fetch?: typeof fetch;
  now?: () => number;
  /**
   * Runs one refresh at a time across tabs. Refresh tokens rotate and reuse revokes the family, so two tabs
   * must never send the same cookie; the Web Locks API serialises them.
   */
  exclusive?: <T>(name: string, run: () => Promise<T>) => Promise<T>;
}

/**
 * Talks to the API. The access token lives in this closure and nowhere else; the refresh token is an HttpOnly
 * cookie that script never sees. A 401 leads to one silent refresh and one repeat, then to `onSignedOut`.
 */
export function createApiClient<User>(deps: ClientDeps = {}) {
  const base = deps.base ?? '/api/v1';
  const doFetch = deps.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const now = deps.now ?? Date.now;
  const exclusive = deps.exclusive ?? lockAcrossTabs;

  let accessToken = '';
  let expiresAtMs = 0;
  /** The session has ended: nothing is asked until somebody signs in, so that a waiting page does not knock on and on. */
  let ended = false;
  let refreshing: Promise<Grant<User>> | null = null;
  let onGrant: (grant: Grant<User>) => void = () => undefined;
  let onSignedOut: () => void = () => undefined;

  function accept(grant: Grant<User>): Grant<User> {
    accessToken = grant.accessToken;
    expiresAtMs = now() + grant.expiresInSecs * 1000;
    ended = false;
    onGrant(grant);
    return grant;
  }

  function forget(): void {
    accessToken = '';
    expiresAtMs = 0;
  }

  function end(): void {
    forget();
    ended = true;
    onSignedOut();
  }

  async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (accessToken && !options.anonymous) headers['authorization'] = `Bearer ${accessToken}`;
    const init: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
    if (options.file) {
      headers['content-type'] = 'application/octet-stream';
      init.body = options.file;
    } else if (options.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(options.body);
    }
    if (options.signal) init.signal = options.signal;
    try {
      return await doFetch(base + path + formatQuery(options.query), init);
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
      throw new ApiError(0, 'network.unreachable', 'No answer from the server');
    }
  }

  /** Sends, refreshes the token once after a 401, and throws what the server refused. */
  async function ask(method: string, path: string, options: RequestOptions = {}): Promise<Response> {
    if (ended && !options.anonymous) throw new ApiError(401, 'auth.required', 'The session has ended');
    let response = await send(method, path, options);
    if (response.status === 401 && !options.anonymous) {
      await refresh();
      response = await send(method, path, options);
      if (response.status === 401) end();
    }
    if (!response.ok) throw await toApiError(response);
    return response;
  }

  async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    const response = await ask(method, path, options);
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** Trades the cookie for a new access token; callers at the same time share one request. */
  function refresh(): Promise<Grant<User>> {
    refreshing ??= exclusive('portcullis-refresh', () =>
      request<Grant<User>>('POST', '/auth/refresh', { anonymous: true }),
    )
      .then(accept)
      .catch((error: unknown) => {
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          end();
        }
        throw error;
      })
      .finally(() => {
        refreshing = null;
      });
    return refreshing;
  }

  return {
    get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
      request<T>('GET', path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) }),
    post: <T>(path: string, body?: unknown) => request<T>('POST', path, { body: body ?? {} }),
    put: <T>(path: string, body: unknown) => request<T>('PUT', path, { body }),
    patch: <T>(path: string, body: unknown) => request<T>('PATCH', path, { body }),
    delete: <T>(path: string, body?: unknown) => request<T>('DELETE', path, body === undefined ? {} : { body }),
    /** Without a token: what comes before the sign-in. */
    anonymous: <T>(path: string, body: unknown) => request<T>('POST', path, { body, anonymous: true }),
    upload: <T>(path: string, query: Query, file: Blob, signal?: AbortSignal) =>
      request<T>('POST', path, { query, file, ...(signal ? { signal } : {}) }),
    /** A file and the name that the server gives it. */
    async download(path: string, query?: Query): Promise<{ blob: Blob; name: string }> {
      const response = await ask('GET', path, query ? { query } : {});
      const name = /filename="?([^";]+)"?/.exec(response.headers.get('content-disposition') ?? '')?.[1] ?? 'download';
      return { blob: await response.blob(), name };
    },
    async login(credentials: { username: string; password: string; totp?: string }): Promise<Grant<User>> {
      return accept(await request<Grant<User>>('POST', '/auth/login', { body: credentials, anonymous: true }));
    },
    async logout(): Promise<void> {
      try {
        await request('POST', '/auth/logout', { body: {} });
      } finally {
        forget();
      }
    },
    accept,
    refresh,
    /** A token with at least `marginSecs` to live, refreshed first when needed. */
    async freshToken(marginSecs = 30): Promise<string> {
      if (!accessToken || expiresAtMs - now() < marginSecs * 1000) await refresh();
      return accessToken;
    },
    onGrant(listener: (grant: Grant<User>) => void): void {
      onGrant = listener;
    },
    onSignedOut(listener: () => void): void {
      onSignedOut = listener;
    },
  };
}

export type ApiClient<User> = ReturnType<typeof createApiClient<User>>;

/** `?a=1&b=x` without empty values. */
export function formatQuery(query: Query | undefined): string {
  if (!query) return '';
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : '';
}

async function lockAcrossTabs<T>(name: string, run: () => Promise<T>): Promise<T> {
  // Only secure contexts have it: not plain HTTP from another machine.
  const locks = navigator.locks as LockManager | null | undefined;
  return locks ? ((await locks.request(name, run)) as T) : run();
}
