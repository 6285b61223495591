import { z } from 'zod';
import { alertRowSchema, labelSchema } from './alerts.js';
import { idParamsSchema, listQuerySchema, msSchema, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** What to judge next, most useful first. `why` says why it is asked for. */
export const labelQueueItemSchema = z.object({ alert: alertRowSchema, why: z.string() });
export type LabelQueueItem = z.infer<typeof labelQueueItemSchema>;
/** A sampled live flow that no model reported: labels from alerts alone would never show what is missed. */
export const flowSampleSchema = z.object({
  id: z.string(),
  atMs: msSchema,
  sensor: z.string(),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
  featureSchema: z.string(),
  /** Raw score by model name. */
  scores: z.record(z.string(), z.number()),
});
export type FlowSample = z.infer<typeof flowSampleSchema>;
export const labelQueueSchema = z.object({ alerts: z.array(labelQueueItemSchema), flows: z.array(flowSampleSchema) });
export type LabelQueue = z.infer<typeof labelQueueSchema>;
/** What a person says about a sampled flow. */
export const sampleLabelRequestSchema = z.strictObject({
  verdict: z.enum(['benign', 'attack']),
  /** Needed for an attack. */
  class: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/)
    .optional(),
  comment: sentenceSchema(1000).optional(),
});

export const labelQueueOperations = defineOperations({
  getLabelQueue: {
    method: 'get',
    path: '/labels/queue',
    summary: 'Alerts and sampled flows whose judgement would teach the models most',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: labelQueueSchema,
  },
  labelFlowSample: {
    method: 'post',
    path: '/labels/flows/:id',
    summary: 'Judge a sampled flow',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    body: sampleLabelRequestSchema,
    status: 201,
    response: labelSchema,
  },
});
