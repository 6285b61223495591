import { z } from 'zod';
import { userNameSchema } from './auth.js';
import {
  idParamsSchema,
  listQuerySchema,
  msSchema,
  pageOf,
  roleSchema,
  sentenceSchema,
  tokenScopeSchema,
} from './common.js';
import { defineOperations } from './operation.js';

export const userSchema = z.object({
  name: z.string(),
  role: roleSchema,
  disabled: z.boolean(),
  mustChangePassword: z.boolean(),
  totpEnabled: z.boolean(),
  createdMs: msSchema,
  lastLoginMs: msSchema.nullable(),
  lockedUntilMs: msSchema.nullable(),
});
export type User = z.infer<typeof userSchema>;

const userParams = z.strictObject({ name: userNameSchema });
export const userRequestSchema = z.strictObject({ name: userNameSchema, role: roleSchema });
/** `password` is random, shown once, and must be changed at the first login. */
export const userCreatedSchema = z.object({ user: userSchema, password: z.string() });
export const userPatchSchema = z
  .strictObject({ role: roleSchema.optional(), disabled: z.boolean().optional() })
  .refine((patch) => patch.role !== undefined || patch.disabled !== undefined, 'give role or disabled');
export const passwordResetResponseSchema = z.object({ password: z.string() });

export const tokenSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: roleSchema,
  scope: tokenScopeSchema,
  owner: z.string(),
  createdMs: msSchema,
  expiresMs: msSchema,
  lastUsedMs: msSchema.nullable(),
});
export type ApiToken = z.infer<typeof tokenSchema>;
export const TOKEN_MAX_SECS = 366 * 86400;
export const tokenRequestSchema = z.strictObject({
  name: sentenceSchema(64),
  /** At most the role of its owner. */
  role: roleSchema,
  scope: tokenScopeSchema.default('all'),
  expiresInSecs: z.number().int().min(60).max(TOKEN_MAX_SECS),
});
/** `secret` is shown once; send it as `Authorization: Bearer <secret>`. */
export const tokenCreatedSchema = z.object({ token: tokenSchema, secret: z.string() });

export const sessionSchema = z.object({
  id: z.string(),
  user: z.string(),
  address: z.string(),
  userAgent: z.string(),
  createdMs: msSchema,
  lastUsedMs: msSchema,
  expiresMs: msSchema,
  /** The session this request belongs to. */
  current: z.boolean(),
});
export type Session = z.infer<typeof sessionSchema>;

export const auditEntrySchema = z.object({
  seq: z.number(),
  atMs: msSchema,
  actor: z.string(),
  address: z.string(),
  action: z.string(),
  object: z.string(),
  outcome: z.enum(['success', 'failure']),
  reason: z.string(),
  before: z.unknown().nullable(),
  after: z.unknown().nullable(),
  /** SHA-256 over the previous entry's hash and this entry, hex. */
  hash: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;
export const auditCheckSchema = z.object({
  ok: z.boolean(),
  checked: z.number(),
  /** First entry whose hash does not follow from the one before. */
  brokenAtSeq: z.number().nullable(),
});

export const accountOperations = defineOperations({
  listUsers: {
    method: 'get',
    path: '/users',
    summary: 'Users',
    access: 'admin',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(userSchema),
  },
  addUser: {
    method: 'post',
    path: '/users',
    summary: 'Add a user with a random first password',
    access: 'admin',
    rate: 'write',
    body: userRequestSchema,
    status: 201,
    response: userCreatedSchema,
  },
  patchUser: {
    method: 'patch',
    path: '/users/:name',
    summary: 'Change role, disable or enable; sessions of the user end',
    access: 'admin',
    rate: 'write',
    params: userParams,
    body: userPatchSchema,
    status: 200,
    response: userSchema,
  },
  resetPassword: {
    method: 'post',
    path: '/users/:name/reset-password',
    summary: 'New random password, second factor removed, sessions end',
    access: 'admin',
    rate: 'write',
    params: userParams,
    status: 200,
    response: passwordResetResponseSchema,
  },
  removeUser: {
    method: 'delete',
    path: '/users/:name',
    summary: 'Remove a user; the last admin cannot be removed',
    access: 'admin',
    rate: 'write',
    params: userParams,
    status: 204,
  },
  listTokens: {
    method: 'get',
    path: '/tokens',
    summary: 'Own API tokens; all of them for an admin',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(tokenSchema),
  },
  addToken: {
    method: 'post',
    path: '/tokens',
    summary: 'Make an API token',
    access: 'viewer',
    rate: 'write',
    body: tokenRequestSchema,
    status: 201,
    response: tokenCreatedSchema,
    personOnly: true,
  },
  removeToken: {
    method: 'delete',
    path: '/tokens/:id',
    summary: 'Revoke an API token',
    access: 'viewer',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
  listSessions: {
    method: 'get',
    path: '/sessions',
    summary: 'Own sessions; all of them for an admin',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(sessionSchema),
  },
  removeSession: {
    method: 'delete',
    path: '/sessions/:id',
    summary: 'Revoke a session',
    access: 'viewer',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
  listAudit: {
    method: 'get',
    path: '/audit',
    summary: 'What was done, by whom, with before and after; newest first',
    access: 'admin',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(auditEntrySchema),
  },
  checkAudit: {
    method: 'get',
    path: '/audit/check',
    summary: 'Verify the hash chain of the audit log',
    access: 'admin',
    rate: 'heavy',
    status: 200,
    response: auditCheckSchema,
  },
});
