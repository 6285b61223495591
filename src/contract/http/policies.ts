import { z } from 'zod';
import { MODES } from '../../domain/decision.js';
import { alertSchema, verdictSchema } from './alerts.js';
import { confirmSecsSchema, pendingChangeSchema } from './changes.js';
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
  /** A shipped or administered file, or saved by the console or API. */
  source: z.enum(['file', 'saved']).optional(),
  /** Set while the version in force waits for its confirmation. */
  pending: pendingChangeSchema.optional(),
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
const versionNumber = z.number().int().min(1);
/** The version that was looked at: when another one is in force by now, the change is refused with policy.conflict. */
const basedOn = z.number().int().min(0).optional();
/** `confirmSecs`: take the change back unless it is confirmed in this time, see `confirmChange`. */
export const policyPutRequestSchema = z.strictObject({
  yaml: yamlText,
  comment: sentenceSchema(500),
  confirmSecs: confirmSecsSchema.optional(),
  basedOn,
});
export const policyRollbackRequestSchema = z.strictObject({
  version: versionNumber,
  comment: sentenceSchema(500),
  confirmSecs: confirmSecsSchema.optional(),
  basedOn,
});
export const policyDeleteRequestSchema = z.strictObject({ comment: sentenceSchema(500) });
/** `from`: a version, the one in force if absent. What it is compared with: a version, or a text that is not saved. */
export const policyDiffRequestSchema = z
  .strictObject({ from: versionNumber.optional(), to: versionNumber.optional(), yaml: yamlText.optional() })
  .refine((r) => (r.to === undefined) !== (r.yaml === undefined), 'give either to or yaml');
export const policyDiffResponseSchema = z.object({
  /** 0: text that is not saved. */
  from: z.number(),
  to: z.number(),
  added: z.number(),
  removed: z.number(),
  lines: z.array(
    z.object({
      op: z.enum(['same', 'added', 'removed']),
      text: z.string(),
      /** Line numbers, 1-based, where the line exists. */
      fromLine: z.number().optional(),
      toLine: z.number().optional(),
    }),
  ),
});
export type PolicyDiff = z.infer<typeof policyDiffResponseSchema>;
/** `alert` is the id of a stored alert, or an alert in full. */
export const policyTestRequestSchema = z.strictObject({ alert: z.union([z.uuid(), alertSchema]) });
/** `yaml`: a policy that is not saved, judged as if it were in force in place of the one of its name. */
export const policyExplainRequestSchema = policyTestRequestSchema.extend({ yaml: yamlText.optional() });
export const policyExplainResponseSchema = z.object({
  verdict: verdictSchema,
  /** Policies that did not match, those that missed by the fewest conditions first, with every condition that failed. */
  nearest: z.array(z.object({ policy: z.string(), failed: z.array(z.string()) })),
  /** The answer in sentences. */
  text: z.array(z.string()),
});
export type PolicyExplanation = z.infer<typeof policyExplainResponseSchema>;

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
  explainPolicies: {
    method: 'post',
    path: '/policies/explain',
    summary: 'What all policies in force together would do about an alert, which clause decided, and which was nearest',
    access: 'analyst',
    rate: 'heavy',
    body: policyExplainRequestSchema,
    status: 200,
    response: policyExplainResponseSchema,
  },
  diffPolicy: {
    method: 'post',
    path: '/policies/:name/diff',
    summary: 'Compare two versions of a policy, or a version and a text that is not saved',
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    body: policyDiffRequestSchema,
    status: 200,
    response: policyDiffResponseSchema,
  },
  rollbackPolicy: {
    method: 'post',
    path: '/policies/:name/rollback',
    summary: 'Put an earlier version of a policy in force again, as a new version',
    access: 'operator',
    rate: 'write',
    params: nameParamsSchema,
    body: policyRollbackRequestSchema,
    status: 200,
    response: policyDetailSchema,
  },
  deletePolicy: {
    method: 'delete',
    path: '/policies/:name',
    summary: 'Remove the text saved by the console or API; a shipped policy of this name comes back in force',
    access: 'operator',
    rate: 'write',
    params: nameParamsSchema,
    body: policyDeleteRequestSchema,
    status: 204,
  },
});
