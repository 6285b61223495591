import { z } from 'zod';
import { ALERT_STATES, LABEL_VERDICTS } from '../../domain/alert.js';
import { ACTIONS, MODES, SCOPES, TRAFFIC } from '../../domain/decision.js';
import { TIERS } from '../../domain/detection.js';
import { decisionSchema, detectionSchema } from '../ipc.js';
import { idParamsSchema, listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { incidentSchema } from './incident-schema.js';
import { defineOperations } from './operation.js';

const detection = detectionSchema.shape;

/** An alert as stored, see `Alert` in the domain. */
export const alertSchema = z.object({
  id: z.string(),
  key: z.string(),
  incidentId: z.string(),
  sensor: z.string(),
  title: z.string(),
  label: z.string(),
  category: z.string(),
  tiers: z.array(z.enum(TIERS)),
  severity: detection.severity,
  score: z.number(),
  confidence: z.number(),
  offender: z.string(),
  victim: z.string().optional(),
  spoofable: z.boolean(),
  attack: detection.attack,
  signatureId: z.number(),
  gid: z.number(),
  rev: z.number(),
  evidence: detection.evidence,
  metadata: z.record(z.string(), z.array(z.string())),
  count: z.number(),
  firstMs: msSchema,
  lastMs: msSchema,
  state: z.enum(ALERT_STATES),
  noBlock: z.boolean(),
  flowId: z.number().optional(),
  communityId: z.string().optional(),
  appProto: z.string().optional(),
  packetUs: z.number(),
  detectedUs: z.number(),
  features: detection.features,
  victims: z.array(z.string()),
  ports: z.array(z.number()),
  srcIp: z.string(),
  srcPort: z.number(),
  dstIp: z.string(),
  dstPort: z.number(),
  proto: z.number(),
});

/** What was done about an alert: nothing, a decision in observe or suggest mode, or a real one. */
export const BLOCK_STATES = ['none', 'simulated', 'blocked'] as const;

/** A row of the alert list: the alert without its feature vector, and what was done about it. */
export const alertRowSchema = alertSchema.omit({ features: true }).extend({
  response: z.enum(BLOCK_STATES),
  /** Verdict of the newest label a person gave. */
  labelVerdict: z.enum(LABEL_VERDICTS).optional(),
});
export type AlertRow = z.infer<typeof alertRowSchema>;

/** The policy verdict on an alert, see `Verdict` in the domain. */
export const verdictSchema = z.object({
  alertId: z.string(),
  outcome: z.enum(['allow', 'monitor', 'act']),
  policy: z.string().optional(),
  policyVersion: z.number().optional(),
  mode: z.enum(MODES),
  action: z.enum(ACTIONS).optional(),
  scope: z.enum(SCOPES).optional(),
  traffic: z.enum(TRAFFIC).optional(),
  value: z.string().optional(),
  proto: z.number().optional(),
  port: z.number().optional(),
  durationSecs: z.number().optional(),
  step: z.number().optional(),
  reason: z.string(),
  considered: z.array(z.object({ policy: z.string(), matched: z.boolean(), failed: z.string().optional() })),
  guards: z.array(
    z.object({
      guard: z.enum(['protected', 'allowlist', 'spoof', 'blast_radius', 'cap', 'no_block', 'paused', 'mode']),
      effect: z.enum(['refused', 'narrowed', 'shortened', 'simulated']),
      text: z.string(),
    }),
  ),
});

/** A person's judgement of an alert: the ground truth for retraining. */
export const labelSchema = z.object({
  id: z.string(),
  alertId: z.string(),
  verdict: z.enum(LABEL_VERDICTS),
  class: z.string().optional(),
  comment: z.string().optional(),
  user: z.string(),
  createdMs: msSchema,
});
export type Label = z.infer<typeof labelSchema>;

export const alertDetailSchema = z.object({
  alert: alertSchema.extend({ response: z.enum(BLOCK_STATES), labelVerdict: z.enum(LABEL_VERDICTS).optional() }),
  incident: incidentSchema.nullable(),
  decisions: z.array(decisionSchema),
  verdict: verdictSchema.nullable(),
  labels: z.array(labelSchema),
});
export type AlertDetail = z.infer<typeof alertDetailSchema>;

export const alertPageSchema = pageOf(alertRowSchema);
export const alertPatchSchema = z.strictObject({ state: z.enum(ALERT_STATES) });
export const alertBulkSchema = z.strictObject({
  ids: z.array(z.uuid()).min(1).max(500),
  state: z.enum(ALERT_STATES),
});
export const bulkResultSchema = z.object({ changed: z.number() });
export const labelRequestSchema = z.strictObject({
  verdict: z.enum(LABEL_VERDICTS),
  class: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_.-]{0,63}$/)
    .optional(),
  comment: sentenceSchema(1000).optional(),
});

/** One judgement for many alerts. */
export const labelBulkSchema = labelRequestSchema.extend({ ids: z.array(z.uuid()).min(1).max(200) });

export const alertOperations = defineOperations({
  listAlerts: {
    method: 'get',
    path: '/alerts',
    summary:
      'Alerts, newest first; q: ip: port: label: tier: score> severity: is:open|archived|escalated|blocked -x text',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: alertPageSchema,
  },
  getAlert: {
    method: 'get',
    path: '/alerts/:id',
    summary: 'One alert with its incident, decisions, verdict and labels',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: alertDetailSchema,
  },
  patchAlert: {
    method: 'patch',
    path: '/alerts/:id',
    summary: 'Change the state of an alert',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    body: alertPatchSchema,
    status: 200,
    response: alertRowSchema,
  },
  bulkAlerts: {
    method: 'post',
    path: '/alerts/bulk',
    summary: 'Change the state of many alerts',
    access: 'analyst',
    rate: 'write',
    body: alertBulkSchema,
    status: 200,
    response: bulkResultSchema,
  },
  labelAlert: {
    method: 'post',
    path: '/alerts/:id/label',
    summary: 'Judge an alert; labels are the ground truth of the nightly training',
    access: 'analyst',
    rate: 'write',
    params: idParamsSchema,
    body: labelRequestSchema,
    status: 201,
    response: labelSchema,
  },
  bulkLabelAlerts: {
    method: 'post',
    path: '/alerts/bulk-label',
    summary: 'Judge many alerts alike',
    access: 'analyst',
    rate: 'write',
    body: labelBulkSchema,
    status: 200,
    response: bulkResultSchema,
  },
});
