import { AppError, errorMessage, type ErrorKind } from '../util/errors.js';

/** Repositories that can be called from the other thread. */
export const REPOSITORIES = [
  'alerts',
  'incidents',
  'decisions',
  'flows',
  'labels',
  'allowlist',
  'users',
  'sessions',
  'tokens',
  'audit',
  'settings',
  'hosts',
  'views',
  'suppressions',
  'passkeys',
  'policies',
  'responseRequests',
  'statistics',
  'training',
  'samples',
] as const;
export type RepositoryName = (typeof REPOSITORIES)[number];

/** To the thread of the database. `queue` wants no answer; `call` does. */
export type Request =
  | { op: 'queue'; repository: RepositoryName; args: unknown[] }
  | { op: 'call'; id: number; repository: RepositoryName | 'store'; method: string; args: unknown[] };

/** From the thread of the database. */
export type Response =
  | { op: 'opened' }
  | { op: 'result'; id: number; value: unknown }
  | { op: 'error'; id: number; error: PlainError }
  /** How many `queue` requests were taken since the last message, and the counters. */
  | { op: 'taken'; count: number; stats: Record<string, number> }
  | { op: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: Record<string, unknown>; message: string };

export interface PlainError {
  kind: ErrorKind;
  code: string;
  message: string;
  fix?: string;
  context: Record<string, unknown>;
  stack?: string;
}

/** An error as it crosses the border between threads, where classes are lost. */
export function toPlainError(error: unknown): PlainError {
  const stack = error instanceof Error ? error.stack : undefined;
  const trace = stack === undefined ? {} : { stack };
  if (!(error instanceof AppError)) {
    return { kind: 'bug', code: 'store.failed', message: errorMessage(error), context: {}, ...trace };
  }
  const { kind, code, message, fix } = error;
  const context = JSON.parse(JSON.stringify(error.context)) as Record<string, unknown>;
  return { kind, code, message, context, ...(fix === undefined ? {} : { fix }), ...trace };
}

export function fromPlainError({ stack, ...plain }: PlainError): AppError {
  const cause = new Error(plain.message);
  if (stack !== undefined) cause.stack = stack;
  return new AppError({ ...plain, cause });
}
