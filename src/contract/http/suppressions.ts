import { z } from 'zod';
import { durationSecsSchema, idParamsSchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** Most suppressions that people may have made at a time. */
export const SUPPRESSIONS_MAX = 1000;

export const suppressionRowSchema = z.object({
  id: z.string(),
  /** Made here, or in the configuration file, where it is changed too. */
  origin: z.enum(['console', 'configuration']),
  /** Address or prefix; null: any. */
  offender: z.string().nullable(),
  victim: z.string().nullable(),
  label: z.string().nullable(),
  gid: z.number().nullable(),
  signatureId: z.number().nullable(),
  /** 0 = for ever. */
  untilMs: msSchema,
  comment: z.string(),
  /** Empty for the configuration. */
  owner: z.string(),
  createdMs: msSchema,
  /** Detections it has stopped since the server started. */
  hits: z.number(),
  /** 0 = none. */
  lastHitMs: msSchema,
});
export type SuppressionRow = z.infer<typeof suppressionRowSchema>;

const addressSchema = z.string().trim().min(1).max(49);
const numberSchema = z.number().int().min(0).max(0xffffffff);
export const suppressionRequestSchema = z
  .strictObject({
    offender: addressSchema.optional(),
    victim: addressSchema.optional(),
    label: sentenceSchema(128).optional(),
    gid: numberSchema.optional(),
    signatureId: numberSchema.optional(),
    /** 0 or absent = for ever. */
    durationSecs: durationSecsSchema.optional(),
    comment: sentenceSchema(500),
  })
  .refine((s) => [s.offender, s.victim, s.label, s.signatureId].some((part) => part !== undefined), {
    message: 'at least one of offender, victim, label, signatureId',
  });
export type SuppressionRequest = z.infer<typeof suppressionRequestSchema>;

/** What makes no alert although it is detected. */
export const suppressionOperations = defineOperations({
  listSuppressions: {
    method: 'get',
    path: '/suppressions',
    summary: 'What makes no alert although it is detected, and how much each has stopped',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(suppressionRowSchema),
  },
  addSuppression: {
    method: 'post',
    path: '/suppressions',
    summary: 'Let detections of this kind make no alert, for a time or for ever',
    access: 'operator',
    rate: 'write',
    body: suppressionRequestSchema,
    status: 201,
    response: suppressionRowSchema,
  },
  removeSuppression: {
    method: 'delete',
    path: '/suppressions/:id',
    summary: 'Let these detections make alerts again',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
});
