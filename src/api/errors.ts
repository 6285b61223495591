import { z } from 'zod';
import type { Problem } from '../contract/http.js';
import { UNWRITABLE } from '../store/index.js';
import { AppError } from '../util/errors.js';

/** Status of error codes that the client can do something about; the one place where codes meet HTTP. */
const STATUS: Readonly<Record<string, number>> = {
  'auth.required': 401,
  'auth.token_invalid': 401,
  'auth.token_expired': 401,
  'auth.login_failed': 401,
  'auth.totp_required': 401,
  'auth.totp_invalid': 401,
  'auth.refresh_invalid': 401,
  'auth.passkey_invalid': 401,
  'auth.passkey_host': 409,
  'auth.too_many_passkeys': 409,
  'auth.refresh_reused': 401,
  'auth.forbidden': 403,
  'auth.password_change_required': 403,
  'auth.scope': 403,
  'auth.person_only': 403,
  'auth.origin': 403,
  'auth.locked': 429,
  'request.rate': 429,
  'request.busy': 503,
  'request.too_large': 413,
  'request.not_json': 415,
  'request.not_binary': 415,
  'request.timeout': 408,
  'request.method': 405,
  'api.not_found': 404,
  'user.exists': 409,
  'user.last_admin': 409,
  'user.self': 409,
  'auth.totp_state': 409,
  'change.same_connection': 409,
  'policy.not_saved': 409,
  'policy.no_version': 404,
  'backtest.busy': 409,
  'backup.busy': 409,
  'backup.too_many': 409,
  'suppression.too_many': 409,
};

const TITLE: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Forbidden',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Request timeout',
  409: 'Conflict',
  413: 'Content too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Service unavailable',
};

function statusOf(error: AppError): number {
  const known = STATUS[error.code];
  if (known !== undefined) return known;
  if (error.kind === 'bug') return 500;
  if (error.kind === 'operational') return 503;
  if (error.code.endsWith('.not_found')) return 404;
  return error.code.startsWith('decision.') || error.code.endsWith('.conflict') ? 409 : 400;
}

/** RFC 9457 problem of anything thrown. Causes and stack traces stay in the log. */
export function toProblem(error: unknown): Problem {
  if (error instanceof z.ZodError) return fromZod(error);
  if (!(error instanceof AppError)) {
    return problem(500, 'api.internal', 'The server failed to answer; its log has the cause.');
  }
  const { fix, context } = error;
  const retry = context['retryAfterSecs'];
  return {
    ...problem(statusOf(error), error.code, error.message),
    ...(fix === undefined ? {} : { fix }),
    ...(typeof retry === 'number' ? { retryAfterSecs: retry } : {}),
  };
}

function problem(status: number, code: string, detail: string): Problem {
  return { type: `urn:portcullis:error:${code}`, title: TITLE[status] ?? 'Error', status, code, detail };
}

function fromZod(error: z.ZodError): Problem {
  return {
    ...problem(400, 'request.invalid', 'The request does not follow the contract.'),
    errors: error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('.'), message: issue.message })),
  };
}

type UserError = Omit<ConstructorParameters<typeof AppError>[0], 'kind'>;
/** An error that the client caused. */
export function userError(options: UserError): AppError {
  return new AppError({ ...options, kind: 'user' });
}

export function notFound(what: string): AppError {
  return userError({ code: 'api.not_found', message: `There is no such ${what}.` });
}

/** For `catch`, where there is another answer when the database has none: for instance what is held in memory. */
export function whenAway<T>(answer: () => T | undefined): (error: unknown) => T {
  return (error) => {
    const other = error instanceof AppError && error.kind === 'operational' ? answer() : undefined;
    if (other === undefined) throw error;
    return other;
  };
}

/** For `catch`, where something is only noted: the answer when the database is there and takes nothing, as on a full disk. */
export function whenUnwritable<T = undefined>(answer?: T): (error: unknown) => T | undefined {
  return (error) => {
    if (error instanceof AppError && UNWRITABLE.has(error.code)) return answer;
    throw error;
  };
}
