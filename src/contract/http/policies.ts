import { z } from 'zod';
import { MODES } from '../../domain/decision.js';
import { alertSchema, verdictSchema } from './alerts.js';
import { msSchema, nameParamsSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

export const policySummarySchema = z.object({
  name: z.string(),
  description: z.string(),
  version: z.number(),
  /** Undefined: the mode of the box. */
  mode: z.enum(MODES).optional(),
  enabled: z.boolean(),
  /** Position in evaluation, 0 first. */
  order: z.number(),
  actor: z.string(),
  updatedMs: msSchema,
});
export type PolicySummary = z.infer<typeof policySummarySchema>;

export const policyVersionSchema = z.object({
  version: z.number(),
  yaml: z.string(),
  actor: z.string(),
  comment: z.string(),
  createdMs: msSchema,
});
export type PolicyVersion = z.infer<typeof policyVersionSchema>;

export const policyDetailSchema = policySummarySchema.extend({
  yaml: z.string(),
  /** Newest first. */
  versions: z.array(policyVersionSchema),
});
export type PolicyDetail = z.infer<typeof policyDetailSchema>;

export const POLICY_YAML_MAX = 64 * 1024;
const yamlText = z.string().min(1).max(POLICY_YAML_MAX);
export const policyValidateRequestSchema = z.strictObject({ yaml: yamlText });
export const policyProblemSchema = z.object({
  path: z.string(),
  message: z.string(),
  line: z.number().optional(),
  column: z.number().optional(),
});
export const policyValidateResponseSchema = z.object({ ok: z.boolean(), problems: z.array(policyProblemSchema) });
export type PolicyValidation = z.infer<typeof policyValidateResponseSchema>;
export const policyPutRequestSchema = z.strictObject({ yaml: yamlText, comment: sentenceSchema(500) });
/** `alert` is the id of a stored alert, or an alert in full. */
export const policyTestRequestSchema = z.strictObject({ alert: z.union([z.uuid(), alertSchema]) });

const metrics = z.record(z.string(), z.union([z.number(), z.string()]));
export const modelSchema = z.object({
  name: z.string(),
  version: z.string(),
  /** champion, challenger or archived. */
  state: z.enum(['champion', 'challenger', 'archived']),
  kind: z.enum(['classification', 'anomaly']),
  algorithm: z.string(),
  featureSchema: z.string(),
  classes: z.array(z.string()),
  threshold: z.number(),
  trainedMs: msSchema,
  trainingRows: z.number(),
  sha256: z.string(),
  metrics,
});
export type ModelInfo = z.infer<typeof modelSchema>;

export const ruleFileSchema = z.object({
  file: z.string(),
  loaded: z.number(),
  skipped: z.number(),
  failed: z.number(),
  problems: z.array(z.object({ line: z.number(), signatureId: z.number().optional(), reason: z.string() })),
});
export type RuleFile = z.infer<typeof ruleFileSchema>;

export const policyOperations = defineOperations({
  listPolicies: {
    method: 'get',
    path: '/policies',
    summary: 'Policies in the order of evaluation',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(policySummarySchema),
  },
  getPolicy: {
    method: 'get',
    path: '/policies/:name',
    summary: 'One policy with its text and versions',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    status: 200,
    response: policyDetailSchema,
  },
  validatePolicy: {
    method: 'post',
    path: '/policies/validate',
    summary: 'Check the text of a policy without saving it',
    access: 'analyst',
    rate: 'heavy',
    body: policyValidateRequestSchema,
    status: 200,
    response: policyValidateResponseSchema,
  },
  putPolicy: {
    method: 'put',
    path: '/policies/:name',
    summary: 'Save a new version of a policy and put it in force',
    access: 'operator',
    rate: 'write',
    params: nameParamsSchema,
    body: policyPutRequestSchema,
    status: 200,
    response: policyDetailSchema,
  },
  testPolicy: {
    method: 'post',
    path: '/policies/:name/test',
    summary: 'What this policy would do about an alert',
    access: 'analyst',
    rate: 'heavy',
    params: nameParamsSchema,
    body: policyTestRequestSchema,
    status: 200,
    response: verdictSchema,
  },
  listModels: {
    method: 'get',
    path: '/models',
    summary: 'Models with their metrics',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(modelSchema),
  },
  listRules: {
    method: 'get',
    path: '/rules',
    summary: 'Rule files: loaded, skipped and failed rules, and why',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(ruleFileSchema),
  },
});
