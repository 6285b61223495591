import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import {
  createPasswords,
  openApiServer,
  openKeys,
  type ApiDeps,
  type ApiOptions,
  type ApiServer,
  type Keys,
} from '../../../src/api/index.js';
import type { LoginResponse, Problem, Role } from '../../../src/contract/http.js';
import { openStore, type AuditRecord, type Store, type StoreOptions, type UserRow } from '../../../src/store/index.js';
import { silentLogger, type Logger } from '../../../src/util/logger.js';
import { createFakeControl, type FakeControl } from './fake-control.js';

export const PASSWORD = 'correct horse battery staple';
/** A login takes some 0.3 s of processor time at the product's cost; `passwords.test.ts` is about that one. */
export const quickPasswords = createPasswords({ logN: 4, r: 8, p: 1 });

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  body: unknown;
}

export interface Harness {
  api: ApiServer;
  store: Store;
  control: FakeControl;
  keys: Keys;
  dataDir: string;
  audited: AuditRecord[];
  errors: object[];
  clock: { ms: number };
  /** One request; `path` below /api/v1 unless it starts with `//`, which means the root. */
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  /** Adds a user with {@link PASSWORD} that need not be changed. */
  addUser(name: string, role: Role): Promise<void>;
  login(name: string): Promise<{ token: string; cookie: string }>;
  close(): Promise<void>;
}

export interface CallOptions {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  /** Another name of the server. */
  base?: string | undefined;
}

export async function startHarness(
  options: Partial<ApiOptions> = {},
  parts: Pick<ApiDeps, 'passwords'> = { passwords: quickPasswords },
  database?: Partial<StoreOptions>,
): Promise<Harness> {
  const dataDir = mkdtempSync(join(tmpdir(), 'api-'));
  const store = await openStore({ ...(database ?? (await freshDatabase())), thread: false });
  const control = createFakeControl(store);
  const audited: AuditRecord[] = [];
  const errors: object[] = [];
  const note = (fields: object): void => void errors.push(fields);
  const log: Logger = { ...silentLogger, error: note, warn: note };
  const clock = { ms: Date.now() };
  const api = await openApiServer(
    {
      port: 0,
      dataDir,
      rates: { login: 10_000, read: 100_000, write: 100_000, heavy: 100_000 },
      ...options,
    },
    {
      store,
      control,
      version: '0.0.0-test',
      log,
      onAudit: (record) => audited.push(record),
      ...parts,
      now: () => clock.ms,
    },
  );

  async function call(
    method: string,
    path: string,
    { token, body, headers = {}, base = api.url }: CallOptions = {},
  ): Promise<Answer> {
    const url = base + (path.startsWith('//') ? path.slice(1) : `/api/v1${path}`);
    const init: RequestInit = {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    // As browsers do: a connection that the server ended while it was idle is no failure of the request.
    const response = await fetch(url, init).catch((error: unknown) => {
      if (!/other side closed|ECONNRESET/.test(String((error as Error).cause))) throw error;
      return fetch(url, init);
    });
    const text = await response.text();
    const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
  }

  return {
    api,
    store,
    control,
    keys: openKeys(dataDir),
    dataDir,
    audited,
    errors,
    clock,
    call,
    async addUser(name, role) {
      await store.users.add(plainUser(name, role, await quickPasswords.hash(PASSWORD), clock.ms));
    },
    async login(name) {
      const answer = await call('POST', '/auth/login', { body: { username: name, password: PASSWORD } });
      assert.equal(answer.status, 200, answer.text);
      return { token: (answer.body as LoginResponse).accessToken, cookie: cookieOf(answer) };
    },
    async close() {
      await api.close();
      await store.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

/** SQLite in memory; a database of its own on a MariaDB server when PORTCULLIS_API_STORE names that server's socket. */
async function freshDatabase(): Promise<Partial<StoreOptions>> {
  const socketPath = process.env['PORTCULLIS_API_STORE'];
  if (socketPath === undefined) return { kind: 'sqlite', path: ':memory:' };
  const database = `api_${process.pid}_${databases++}`;
  const connection = await createConnection({ socketPath, user: 'root' });
  await connection.query(`CREATE DATABASE ${database}`).finally(() => connection.end());
  return { kind: 'mysql', socketPath, database, user: 'root', password: '' };
}
let databases = 0;

function plainUser(name: string, role: Role, hash: string, createdMs: number): UserRow {
  return {
    name,
    role,
    disabled: false,
    mustChangePassword: false,
    passwordHash: hash,
    totpSecret: '',
    totpPending: '',
    totpLastStep: 0,
    recoveryHashes: '[]',
    createdMs,
    lastLoginMs: 0,
    failedLogins: 0,
    lockedUntilMs: 0,
    epoch: 0,
  };
}

/** The refresh cookie that an answer sets, as `name=value`; empty when it sets none. */
export function cookieOf(answer: Answer): string {
  return (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
}

/** Asserts a problem document with this status and code. */
export function assertProblem(answer: Answer, status: number, code: string): Problem {
  const problem = answer.body as Problem;
  assert.equal(answer.status, status, answer.text);
  assert.equal(problem.code, code, answer.text);
  assert.equal(problem.status, status);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
  return problem;
}
