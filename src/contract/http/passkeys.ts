import { z } from 'zod';
import { loginResponseSchema, passwordRequestSchema } from './auth.js';
import { idParamsSchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** A WebAuthn credential of a user. */
export const passkeySchema = z.object({
  id: z.string(),
  name: z.string(),
  createdMs: msSchema,
  lastUsedMs: msSchema.nullable(),
});
export type Passkey = z.infer<typeof passkeySchema>;

/** Options and answers of WebAuthn as JSON (WebAuthn 3, 5.1.8): what the browser library takes and gives. */
const webauthnJson = z.record(z.string(), z.unknown());

export const passkeyStartResponseSchema = z.object({ challengeId: z.string(), options: webauthnJson });
export const passkeyAddRequestSchema = z.strictObject({
  challengeId: z.uuid(),
  name: sentenceSchema(64),
  response: webauthnJson,
});
export const passkeyLoginRequestSchema = z.strictObject({ challengeId: z.uuid(), response: webauthnJson });

export const passkeyOperations = defineOperations({
  startPasskeyLogin: {
    method: 'post',
    path: '/auth/passkey/start',
    summary: 'Challenge for a login with a passkey; the browser offers those it knows',
    access: 'public',
    rate: 'login',
    status: 200,
    response: passkeyStartResponseSchema,
  },
  passkeyLogin: {
    method: 'post',
    path: '/auth/passkey',
    summary: 'Log in with a passkey: it stands for password and second factor',
    access: 'public',
    rate: 'login',
    body: passkeyLoginRequestSchema,
    status: 200,
    response: loginResponseSchema,
  },
  listPasskeys: {
    method: 'get',
    path: '/auth/passkeys',
    summary: 'Own passkeys',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(passkeySchema),
    personOnly: true,
  },
  startPasskey: {
    method: 'post',
    path: '/auth/passkeys/start',
    summary: 'Challenge for a new passkey; asks for the password',
    access: 'viewer',
    rate: 'login',
    body: passwordRequestSchema,
    status: 200,
    response: passkeyStartResponseSchema,
    personOnly: true,
  },
  addPasskey: {
    method: 'post',
    path: '/auth/passkeys',
    summary: 'Register a passkey with the answer of the browser',
    access: 'viewer',
    rate: 'login',
    body: passkeyAddRequestSchema,
    status: 201,
    response: passkeySchema,
    personOnly: true,
  },
  removePasskey: {
    method: 'delete',
    path: '/auth/passkeys/:id',
    summary: 'Remove an own passkey; asks for the password',
    access: 'viewer',
    rate: 'login',
    params: idParamsSchema,
    body: passwordRequestSchema,
    status: 204,
    personOnly: true,
  },
});
