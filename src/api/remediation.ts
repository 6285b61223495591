import { createHash } from 'node:crypto';
import type { Middleware } from 'koa';
import { z } from 'zod';
import type { Decision } from '../domain/decision.js';
import type { Store } from '../store/index.js';
import { AppError } from '../util/errors.js';
import { parseCidr, type Cidr } from '../util/ip.js';
import { requireRole, requireScope, type AccessControl } from './auth/access.js';
import type { Control } from './deps.js';
import type { RateLimit } from './middleware/rate-limit.js';
import { clientAddress } from './operation-router.js';

/** Which decisions a reader asks for; absent: all. */
export interface RemediationQuery {
  value?: string;
  /** Decisions that cover this. */
  network?: Cidr;
  /** Decisions inside this. */
  within?: Cidr;
}

export interface RemediationChanges {
  /** `added` is everything in force: what the reader has beside it is over. */
  isComplete: boolean;
  added: Decision[];
  ended: Decision[];
}

interface Parts {
  control: Control;
  access: AccessControl;
  rateLimit: RateLimit;
  /** Decisions that were lifted before their time, for readers that the server does not know after a restart. */
  lifted(nowMs: number): Promise<Decision[]>;
  now(): number;
}

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
const words = z
  .string()
  .max(1000)
  .transform((text) => text.toLowerCase().split(','));
const listQuerySchema = z.object({
  ip: z.string().max(64).optional(),
  range: z.string().max(64).optional(),
  value: z.string().max(64).optional(),
  scope: words.optional(),
  scopes: words.optional(),
  type: z.string().max(64).optional(),
  contains: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true'),
});
const streamQuerySchema = z.object({ startup: flag, scopes: words.optional(), scope: words.optional() });

/** Pages of lifted decisions that are looked at; a reader keeps its own time for the rest. */
const LIFTED_PAGES = 10;

/** Decisions that were lifted and would still be in force. */
export async function liftedEarly(store: Store, nowMs: number): Promise<Decision[]> {
  const found: Decision[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < LIFTED_PAGES; pages++) {
    const request = { limit: 200, q: 'is:revoked is:real', state: 'all' as const, cursor };
    const page = await store.decisions.list(request, nowMs);
    found.push(...page.items.filter((d) => d.expiresMs === 0 || d.expiresMs > nowMs));
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return found;
}

/** CrowdSec has no word for ever. */
const FOREVER_MS = 10 * 365 * 86_400_000;

/**
 * The part of CrowdSec's Local API that remediation components use, so that they enforce our decisions:
 * `GET|HEAD /v1/decisions` and `GET /v1/decisions/stream`, with an API token of scope `remediation` as `X-Api-Key`.
 */
export function remediationRoutes(parts: Parts): Middleware {
  return async (ctx, next) => {
    if (ctx.path !== '/v1/decisions' && ctx.path !== '/v1/decisions/stream') return next();
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    await parts.rateLimit('read', clientAddress(ctx.req.socket.remoteAddress));
    const reader = await identify(ctx.get('X-Api-Key'), parts.access);
    if (reader === undefined) {
      ctx.status = 403;
      ctx.body = { message: 'access forbidden' };
      return undefined;
    }
    ctx.type = 'application/json';
    try {
      const answer = ctx.path.endsWith('/stream') ? await stream(ctx.query, reader, parts) : list(ctx.query, parts);
      ctx.body = JSON.stringify(answer);
    } catch (error) {
      if (!(error instanceof z.ZodError) && !(error instanceof AppError && error.kind === 'user')) throw error;
      ctx.status = 400;
      ctx.body = { message: error instanceof AppError ? error.message : 'the query is not understood' };
    }
    return undefined;
  };
}

/** @returns a name for the holder of the key, or undefined when it opens nothing. */
async function identify(key: string, access: AccessControl): Promise<string | undefined> {
  if (!/^[\x21-\x7e]{1,4096}$/.test(key)) return undefined;
  try {
    const principal = await access.authenticate(key);
    requireScope(principal, 'remediation');
    requireRole(principal, 'viewer');
    return `${principal.name} ${createHash('sha256').update(key).digest('hex')}`;
  } catch (error) {
    if (error instanceof AppError && error.kind === 'user') return undefined;
    throw error;
  }
}

function list(input: unknown, { control, now }: Parts): object[] | null {
  const query = listQuerySchema.parse(input);
  if (query.type !== undefined && query.type !== 'ban') return null;
  const address = query.ip ?? query.range;
  const network = address === undefined ? undefined : parseCidr(address);
  if (address !== undefined && !network) {
    throw new AppError({ kind: 'user', code: 'request.bad_address', message: `${address} is no address or range` });
  }
  const found = control.remediation.list({
    ...(query.value === undefined ? {} : { value: query.value }),
    ...(network === undefined ? {} : query.contains ? { network } : { within: network }),
  });
  const wanted = found.filter(ofScope(query.scopes ?? query.scope));
  return wanted.length === 0 ? null : wanted.map((decision) => toCrowdsec(decision, now()));
}

async function stream(input: unknown, reader: string, parts: Parts): Promise<object> {
  const query = streamQuerySchema.parse(input);
  const { isComplete, added, ended } = parts.control.remediation.changes(reader, query.startup);
  const inForce = new Set(added.map((d) => d.value));
  const lifted = isComplete && !query.startup ? await parts.lifted(parts.now()) : ended;
  const over = lifted.filter((d) => !inForce.has(d.value));
  const mine = ofScope(query.scopes ?? query.scope);
  const convert = (decisions: Decision[], isOver: boolean): object[] | null => {
    const items = decisions.filter(mine).map((decision) => toCrowdsec(decision, parts.now(), isOver));
    return items.length === 0 ? null : items;
  };
  return { new: convert(added, false), deleted: convert(over, true) };
}

function ofScope(scopes: readonly string[] | undefined): (decision: Decision) => boolean {
  return (decision) => scopes === undefined || scopes.includes(decision.scope === 'cidr' ? 'range' : 'ip');
}

/** A decision as CrowdSec's Local API writes it; over means with no time left. */
export function toCrowdsec(decision: Decision, nowMs: number, isOver = false): object {
  const endMs = decision.expiresMs === 0 ? nowMs + FOREVER_MS : decision.expiresMs;
  return {
    duration: goDuration(isOver ? Math.min(-1000, endMs - nowMs) : Math.max(1000, endMs - nowMs)),
    id: numberOf(decision.id),
    origin: 'portcullis',
    scenario: `portcullis/${decision.policy ?? decision.origin}`,
    scope: decision.scope === 'cidr' ? 'Range' : 'Ip',
    type: 'ban',
    until: new Date(Math.min(endMs, 8.64e15)).toISOString(),
    uuid: decision.id,
    value: decision.value,
  };
}

/** CrowdSec numbers its decisions; 52 bits of a hash stay exact in every JSON reader. */
function numberOf(id: string): number {
  return parseInt(createHash('sha256').update(id).digest('hex').slice(0, 13), 16);
}

/** Go's text of a duration: `3h59m57.5s`. */
export function goDuration(ms: number): string {
  const secs = Math.abs(ms) / 1000;
  const h = Math.floor(secs / 3600);
  const m = Math.floor((secs % 3600) / 60);
  const s = Math.round((secs % 60) * 1000) / 1000;
  return `${ms < 0 ? '-' : ''}${h}h${m}m${s}s`;
}
