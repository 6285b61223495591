import { z } from 'zod';
import { idParamsSchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

/** Shortest and longest time in which a change must be confirmed, seconds. */
export const CONFIRM_MIN_SECS = 10;
export const CONFIRM_MAX_SECS = 3600;
/**
 * Commit-confirm: the change takes effect at once and is taken back after this time unless somebody confirms it over a
 * connection opened after the change: who locked himself out cannot open one.
 */
export const confirmSecsSchema = z.number().int().min(CONFIRM_MIN_SECS).max(CONFIRM_MAX_SECS);

/** A change that is in force and will be taken back unless it is confirmed. */
export const pendingChangeSchema = z.object({
  id: z.uuid(),
  kind: z.enum(['policy', 'mode', 'inline']),
  /** Name of the policy, `mode` or `inline`. */
  object: z.string(),
  /** What was changed, in a sentence. */
  summary: z.string(),
  actor: z.string(),
  madeMs: msSchema,
  /** When it is taken back. */
  revertMs: msSchema,
});
export type PendingChange = z.infer<typeof pendingChangeSchema>;

export const changeOutcomeSchema = z.object({
  change: pendingChangeSchema,
  outcome: z.enum(['confirmed', 'reverted']),
  /** Decisions that were made under the change and lifted with it. */
  lifted: z.number(),
});
export type ChangeOutcome = z.infer<typeof changeOutcomeSchema>;

export const changeOperations = defineOperations({
  listChanges: {
    method: 'get',
    path: '/changes',
    summary: 'Changes in force that still wait for their confirmation',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(pendingChangeSchema),
  },
  confirmChange: {
    method: 'post',
    path: '/changes/:id/confirm',
    summary:
      'Keep a change; 409 change.same_connection unless over a connection opened after it (the server closes the old one: ask again)',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    status: 200,
    response: changeOutcomeSchema,
  },
  revertChange: {
    method: 'post',
    path: '/changes/:id/revert',
    summary: 'Take a change back now, and lift the decisions made under it',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    status: 200,
    response: changeOutcomeSchema,
  },
});
