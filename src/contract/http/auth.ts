import { z } from 'zod';
import { msSchema, roleSchema } from './common.js';
import { defineOperations } from './operation.js';

export const PASSWORD_MIN = 12;
export const userNameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, 'lower case letters, digits, . _ -');
/** Long phrases are welcome; NIST SP 800-63B 3.1.1: at least 12, at most 256, no composition rules. */
export const newPasswordSchema = z.string().min(PASSWORD_MIN).max(256);

export const loginRequestSchema = z.strictObject({
  username: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
  /** Six digits, or a recovery code. */
  totp: z.string().min(6).max(32).optional(),
});
export type LoginRequest = z.infer<typeof loginRequestSchema>;

export const sessionUserSchema = z.object({ name: z.string(), role: roleSchema, mustChangePassword: z.boolean() });
export type SessionUser = z.infer<typeof sessionUserSchema>;

/** The refresh token travels in the HttpOnly cookie `portcullis_refresh`. */
export const loginResponseSchema = z.object({
  accessToken: z.string(),
  expiresInSecs: z.number(),
  user: sessionUserSchema,
});
export type LoginResponse = z.infer<typeof loginResponseSchema>;

export const passwordChangeSchema = z.strictObject({ current: z.string().min(1).max(256), next: newPasswordSchema });
export type PasswordChange = z.infer<typeof passwordChangeSchema>;

/** Asked for before anything that weakens the account. */
export const passwordRequestSchema = z.strictObject({ password: z.string().min(1).max(256) });

export const meResponseSchema = sessionUserSchema.extend({
  totpEnabled: z.boolean(),
  recoveryCodesLeft: z.number(),
  lastLoginMs: msSchema.nullable(),
});
export type MeResponse = z.infer<typeof meResponseSchema>;

export const totpStartResponseSchema = z.object({ secret: z.string(), uri: z.string() });
export type TotpStartResponse = z.infer<typeof totpStartResponseSchema>;
export const totpConfirmRequestSchema = z.strictObject({ code: z.string().regex(/^\d{6}$/) });
export const totpConfirmResponseSchema = z.object({ recoveryCodes: z.array(z.string()) });
export type TotpConfirmResponse = z.infer<typeof totpConfirmResponseSchema>;

export const authOperations = defineOperations({
  login: {
    method: 'post',
    path: '/auth/login',
    summary: 'Log in; 401 auth.totp_required when a second factor is needed',
    access: 'public',
    rate: 'login',
    body: loginRequestSchema,
    status: 200,
    response: loginResponseSchema,
  },
  refresh: {
    method: 'post',
    path: '/auth/refresh',
    summary: 'New access token from the refresh cookie, which is replaced; reuse of an old one revokes the session',
    access: 'public',
    rate: 'read',
    status: 200,
    response: loginResponseSchema,
  },
  logout: {
    method: 'post',
    path: '/auth/logout',
    summary: 'Revoke the session of the refresh cookie',
    access: 'public',
    rate: 'read',
    status: 204,
  },
  changePassword: {
    method: 'post',
    path: '/auth/password',
    summary: 'Change the own password; every other session of the user ends',
    access: 'session',
    rate: 'login',
    body: passwordChangeSchema,
    status: 200,
    response: loginResponseSchema,
    personOnly: true,
  },
  me: {
    method: 'get',
    path: '/auth/me',
    summary: 'Who is logged in',
    access: 'session',
    rate: 'read',
    status: 200,
    response: meResponseSchema,
  },
  startTotp: {
    method: 'post',
    path: '/auth/totp',
    summary: 'Make a TOTP secret; it counts once it is confirmed',
    access: 'viewer',
    rate: 'write',
    status: 200,
    response: totpStartResponseSchema,
    personOnly: true,
  },
  confirmTotp: {
    method: 'post',
    path: '/auth/totp/confirm',
    summary: 'Turn TOTP on; the recovery codes are shown once',
    access: 'viewer',
    rate: 'login',
    body: totpConfirmRequestSchema,
    status: 200,
    response: totpConfirmResponseSchema,
    personOnly: true,
  },
  disableTotp: {
    method: 'delete',
    path: '/auth/totp',
    summary: 'Turn TOTP off; asks for the password',
    access: 'viewer',
    rate: 'login',
    body: passwordRequestSchema,
    status: 204,
    personOnly: true,
  },
});
