import { z } from 'zod';
import { ACTIONS } from '../../domain/decision.js';
import { durationSecsSchema, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

export const BULK_RELEASE_MAX = 500;
export const IMPORT_MAX = 1000;

export const bulkReleaseRequestSchema = z.strictObject({
  ids: z.array(z.uuid()).min(1).max(BULK_RELEASE_MAX),
  reason: sentenceSchema(500),
});
export const bulkReleaseResponseSchema = z.object({
  /** Ids that were lifted. */
  released: z.array(z.string()),
  /** Ids that were not in force any more. */
  gone: z.array(z.string()),
});
export type BulkRelease = z.infer<typeof bulkReleaseResponseSchema>;

export const importRequestSchema = z.strictObject({
  /** Addresses and prefixes. */
  values: z.array(z.string().trim().min(1).max(64)).min(1).max(IMPORT_MAX),
  action: z.enum(ACTIONS).optional(),
  durationSecs: durationSecsSchema,
  reason: sentenceSchema(500),
  /** Also where ordinary traffic shares the address; never past the protected set and the allowlist. */
  override: z.boolean().optional(),
  /** Only say what would happen. */
  dryRun: z.boolean().optional(),
});
export type ImportRequest = z.infer<typeof importRequestSchema>;

/**
 * ok: made, or would be. invalid: no address. repeated: stands in the list before. known: the same is in force already.
 * protected, allowed, shared: refused because of the protected set, the allowlist, or ordinary traffic (see override).
 */
export const IMPORT_OUTCOMES = ['ok', 'invalid', 'repeated', 'known', 'protected', 'allowed', 'shared'] as const;
export const importResponseSchema = z.object({
  items: z.array(
    z.object({
      value: z.string(),
      outcome: z.enum(IMPORT_OUTCOMES),
      /** Why not; empty when ok. */
      message: z.string(),
      decisionId: z.string().nullable(),
    }),
  ),
  /** How many are ok. */
  ok: z.number(),
});
export type ImportResult = z.infer<typeof importResponseSchema>;

export const bulkDecisionOperations = defineOperations({
  releaseDecisions: {
    method: 'post',
    path: '/decisions/release',
    summary: 'Lift many decisions now',
    access: 'operator',
    rate: 'write',
    body: bulkReleaseRequestSchema,
    status: 200,
    response: bulkReleaseResponseSchema,
  },
  importDecisions: {
    method: 'post',
    path: '/decisions/import',
    summary: 'Block a list of addresses and prefixes, each with its own outcome; dryRun shows the conflicts first',
    access: 'operator',
    rate: 'heavy',
    body: importRequestSchema,
    status: 200,
    response: importResponseSchema,
  },
});
