import { z } from 'zod';

/** Rising order: each role may do everything the one before it may. */
export const ROLES = ['viewer', 'analyst', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];
export const roleSchema = z.enum(ROLES);

/** True when `role` may do what `needed` may. */
export function roleAllows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * What an API token is good for. `all`: everything its role may. `respond`: only response requests, for a SIEM or SOAR.
 * `remediation`: only reading decisions in force, for CrowdSec remediation components.
 */
export const TOKEN_SCOPES = ['all', 'respond', 'remediation'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];
export const tokenScopeSchema = z.enum(TOKEN_SCOPES);

/** RFC 9457 problem details; `code` is listed in docs/errors.md. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  /** What to do about it. */
  fix: z.string().optional(),
  /** Seconds to wait, for 429. */
  retryAfterSecs: z.number().optional(),
  /** One entry for each invalid field. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;

export const LIST_LIMIT_MAX = 200;
/** Paging and search of every list; values come from the query string. */
export const listQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIST_LIMIT_MAX).default(50),
  cursor: z.string().min(1).max(200).optional(),
  q: z.string().max(500).optional(),
});
export type ListQuery = z.infer<typeof listQuerySchema>;

/** One page of a list; `nextCursor` is null on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export const idParamsSchema = z.strictObject({ id: z.uuid() });
export const nameParamsSchema = z.strictObject({ name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/) });

/** A box is called what its administrator calls it: any printable name. */
export const sensorParamsSchema = z.strictObject({ name: z.string().regex(/^[^\u0000-\u001f\u007f]{1,64}$/) });

/** Epoch milliseconds; 0 = never, where stated. */
export const msSchema = z.number();
/** Longest block or exemption that can be asked for: ten years. 0 = until revoked. */
export const DURATION_MAX_SECS = 10 * 365 * 86400;
export const durationSecsSchema = z.number().int().min(0).max(DURATION_MAX_SECS);
/** A sentence for people: no control characters. */
export const sentenceSchema = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'control characters are not allowed');
