import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Context } from 'koa';
import { API_PREFIX, OPERATIONS, type FileAnswer, type Operation, type OperationId } from '../contract/http.js';
import type { AuditInput } from '../store/index.js';
import { AppError } from '../util/errors.js';
import { formatIp, parseIp } from '../util/ip.js';
import type { AuditTrail } from './audit-trail.js';
import { requireRole, requireScope, type AccessControl, type Principal } from './auth/access.js';
import type { Connections } from './connections.js';
import { userError } from './errors.js';
import { readJsonBody, readUpload } from './middleware/body.js';
import type { RateLimit } from './middleware/rate-limit.js';
import type { ApiOptions } from './options.js';
import type { ApiRequest, Handlers } from './request.js';

export const REFRESH_COOKIE = 'portcullis_refresh';
const COOKIE_PATH = `${API_PREFIX}/auth`;

interface Parts {
  handlers: Handlers;
  access: AccessControl;
  rateLimit: RateLimit;
  options: ApiOptions;
  trail: Pick<AuditTrail, 'append'>;
  connections: Connections;
}

/** Canonical text of the peer's address; IPv4-mapped IPv6 as IPv4. */
export function clientAddress(remote: string | undefined): string {
  const ip = parseIp((remote ?? '').replace(/%.*$/, ''));
  return ip ? formatIp(ip) : '';
}

function bearerOf(ctx: Context): string {
  const match = /^Bearer ([A-Za-z0-9._~+/=-]{1,4096})$/i.exec(ctx.get('Authorization'));
  if (match?.[1] !== undefined) return match[1];
  throw userError({ code: 'auth.required', message: 'This needs a login.', fix: 'Send Authorization: Bearer TOKEN.' });
}

/** @throws AppError auth.* unless the caller may use the operation */
async function authorize(ctx: Context, operation: Operation, access: AccessControl): Promise<Principal | undefined> {
  if (operation.access === 'public') return undefined;
  const principal = await access.authenticate(bearerOf(ctx));
  if (operation.personOnly === true && principal.kind !== 'session') {
    throw userError({ code: 'auth.person_only', message: 'This is for people who are logged in, not for API tokens.' });
  }
  requireScope(principal, operation.scope);
  if (operation.access === 'session') return principal;
  if (principal.mustChangePassword) {
    throw userError({
      code: 'auth.password_change_required',
      message: 'The first password must be changed before anything else.',
      fix: `POST ${API_PREFIX}/auth/password`,
    });
  }
  requireRole(principal, operation.access);
  return principal;
}

/** A page of another site must not change anything here with the user's cookie. */
function checkOrigin(ctx: Context, operation: Operation): void {
  const origin = ctx.get('Origin');
  if (operation.method === 'get' || origin === '') return;
  let host: string | undefined;
  try {
    host = new URL(origin).host;
  } catch {
    host = undefined;
  }
  if (host !== ctx.get('Host')) {
    throw userError({ code: 'auth.origin', message: 'The request comes from another site.' });
  }
}

async function validate(ctx: Context, operation: Operation, options: ApiOptions) {
  const hasNoJson = operation.upload === true || ['get', 'head'].includes(ctx.method.toLowerCase());
  const body = hasNoJson ? undefined : await readJsonBody(ctx.req, options);
  return {
    params: operation.params?.parse({ ...ctx['params'] }),
    query: operation.query?.parse({ ...ctx.query }),
    body: operation.body?.parse(body),
    upload: operation.upload === true ? readUpload(ctx.req, options) : [],
  };
}

/** Every operation of the contract as a route: rate limit, authorize, validate, handle, check the answer. */
export function createOperationRouter({ handlers, access, rateLimit, options, trail, connections }: Parts): Router {
  const router = new Router({ prefix: API_PREFIX });
  const secure = options.secureCookies ?? options.tls !== undefined;

  function toRequest(
    ctx: Context,
    principal: Principal | undefined,
  ): Omit<ApiRequest<Operation>, 'params' | 'query' | 'body' | 'upload'> {
    const client = {
      address: clientAddress(ctx.req.socket.remoteAddress),
      userAgent: ctx.get('User-Agent'),
      origin: ctx.get('Origin') || undefined,
    };
    const name = principal?.name ?? '';
    const kind = principal === undefined || principal.kind === 'session' ? 'user' : principal.kind;
    return {
      principal: principal as Principal,
      client,
      actor: { name, kind, address: client.address },
      connection: {
        number: connections.numberOf(ctx.req.socket),
        newest: connections.newest(),
        closeAfter: () => ctx.set('Connection', 'close'),
        retireAll() {
          ctx.set('Connection', 'close');
          connections.retire(ctx.req.socket.remoteAddress);
        },
      },
      refreshCookie: ctx.cookies.get(REFRESH_COOKIE),
      setRefreshCookie(token, expiresMs = 0) {
        const attributes = `Path=${COOKIE_PATH}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
        const expires = token === null ? 'Max-Age=0' : `Expires=${new Date(expiresMs).toUTCString()}`;
        ctx.append('Set-Cookie', `${REFRESH_COOKIE}=${token ?? ''}; ${expires}; ${attributes}`);
      },
      async audit(entry) {
        const input: AuditInput = { actor: name, address: client.address, outcome: 'success', ...entry };
        await trail.append(input);
      },
    };
  }

  for (const [id, operation] of Object.entries(OPERATIONS) as [OperationId, Operation][]) {
    // The map type ties each handler to its operation; here they only meet by name.
    const handle = handlers[id] as (request: unknown) => unknown;
    router[operation.method](operation.path, async (ctx) => {
      await rateLimit(operation.rate, clientAddress(ctx.req.socket.remoteAddress));
      checkOrigin(ctx, operation);
      const principal = await authorize(ctx, operation, access);
      const input = await validate(ctx, operation, options);
      const result = await handle({ ...toRequest(ctx, principal), ...input });
      ctx.status = operation.status;
      if (operation.response) ctx.body = checkAnswer(id, operation, result);
      else if (operation.download) sendFile(ctx, id, operation, result as FileAnswer);
      else {
        ctx.body = null;
        ctx.status = 204;
      }
    });
  }
  return router;
}

/** A file to keep, never a page of ours: browsers save it and do not look into it. */
function sendFile(ctx: Context, id: string, operation: Operation, { name, type, body }: FileAnswer): void {
  if (operation.download?.includes(type) !== true) {
    throw new AppError({
      kind: 'bug',
      code: 'api.answer_invalid',
      message: 'The server made a file of a type that its contract does not name.',
      context: { operation: id, type },
    });
  }
  const ascii = name.replaceAll(/[^A-Za-z0-9._-]/g, '_').slice(0, 128);
  ctx.set('Content-Type', type);
  ctx.set('Content-Disposition', `attachment; filename="${ascii}"`);
  ctx.body = body instanceof Uint8Array ? Buffer.from(body) : Readable.from(body, { objectMode: false });
}

/** Drops what the contract does not name, so nothing inside leaks; a missing part is our bug. */
function checkAnswer(id: string, operation: Operation, result: unknown): unknown {
  const checked = operation.response?.safeParse(result);
  if (checked?.success === true) return checked.data;
  throw new AppError({
    kind: 'bug',
    code: 'api.answer_invalid',
    message: 'The server made an answer that does not follow its contract.',
    context: { operation: id },
    cause: checked?.error,
  });
}
