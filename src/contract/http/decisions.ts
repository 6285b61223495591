import { z } from 'zod';
import { ACTIONS, SCOPES } from '../../domain/decision.js';
import { allowEntrySchema, decisionSchema, protectedEntrySchema } from '../ipc.js';
import { alertRowSchema, verdictSchema } from './alerts.js';
import { durationSecsSchema, idParamsSchema, listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

export const decisionPageSchema = pageOf(decisionSchema);
export const decisionQuerySchema = listQuerySchema.extend({ state: z.enum(['active', 'all']).default('active') });

/** A step in the life of a decision. */
export const decisionHistorySchema = z.object({
  atMs: msSchema,
  op: z.enum(['created', 'applied', 'rejected', 'failed', 'extended', 'released', 'expired']),
  actor: z.string(),
  reason: z.string(),
});
export type DecisionHistory = z.infer<typeof decisionHistorySchema>;

export const decisionDetailSchema = z.object({
  decision: decisionSchema,
  history: z.array(decisionHistorySchema),
  alerts: z.array(alertRowSchema),
});
export type DecisionDetail = z.infer<typeof decisionDetailSchema>;

const addressText = z.string().trim().min(2).max(64);
const portSchema = z.number().int().min(1).max(65535);

export const decisionRequestSchema = z.strictObject({
  /** Address or prefix. */
  value: addressText,
  scope: z.enum(SCOPES).optional(),
  action: z.enum(ACTIONS).optional(),
  durationSecs: durationSecsSchema,
  reason: sentenceSchema(500),
  proto: z.number().int().min(0).max(255).optional(),
  port: portSchema.optional(),
  /** Go ahead although the preview warned (never past the protected set). */
  override: z.boolean().optional(),
});
export type DecisionRequest = z.infer<typeof decisionRequestSchema>;

export const extendRequestSchema = z.strictObject({ durationSecs: durationSecsSchema.min(1) });
export const reasonRequestSchema = z.strictObject({ reason: sentenceSchema(500) });
export const allowReleaseRequestSchema = z.strictObject({
  durationSecs: durationSecsSchema,
  comment: sentenceSchema(500),
});
export const allowReleaseResponseSchema = z.object({ decision: decisionSchema, allow: allowEntrySchema });

export const allowRequestSchema = z.strictObject({
  /** Address, prefix or DNS name. */
  value: z.string().trim().min(1).max(253),
  comment: sentenceSchema(500),
  /** 0 or absent = for ever. */
  durationSecs: durationSecsSchema.optional(),
});
export type AllowRequest = z.infer<typeof allowRequestSchema>;

export const allowCheckQuerySchema = z.strictObject({ value: z.string().trim().min(1).max(253) });
/** What an exemption of this address, prefix or name would mean; nothing is changed. */
export const allowCheckResponseSchema = z.object({
  value: z.string(),
  /** What it stands for: for a name what it resolves to now. */
  addresses: z.array(z.string()),
  /** Why it would be refused. */
  refused: z.string().nullable(),
  /** Exemptions that overlap it. */
  overlaps: z.array(allowEntrySchema.extend({ relation: z.enum(['same', 'covers', 'inside']) })),
  protected: z.array(protectedEntrySchema),
  /** Decisions in force that it would lift (those inside it) or override in the kernel (wider ones). */
  decisions: z.array(decisionSchema),
  text: z.array(z.string()),
});
export type AllowCheck = z.infer<typeof allowCheckResponseSchema>;

/** With `port` and `proto` (6 unless given) the answer is about such a packet. */
export const explainQuerySchema = z.strictObject({
  address: addressText,
  port: z.coerce.number().int().min(1).max(65535).optional(),
  proto: z.coerce.number().int().min(0).max(255).optional(),
});
/** One thing that a packet of the address meets in the kernel, in that order. */
export const packetStepSchema = z.object({
  stage: z.enum(['protected', 'allowed', 'service', 'flow', 'rate_limit', 'block', 'feed', 'watch', 'quarantine']),
  set: z.string(),
  key: z.string(),
  /** What this element does with the packet; `none`: an earlier step has decided already. */
  effect: z.enum(['accept', 'drop', 'limit', 'count', 'none']),
  packets: z.number(),
  bytes: z.number(),
  /** Milliseconds until the kernel lets go of it; 0 = until removed. */
  expiresMs: z.number(),
});
export const explainResponseSchema = z.object({
  address: z.string(),
  blocked: z.boolean(),
  allowed: allowEntrySchema.nullable(),
  protected: protectedEntrySchema.nullable(),
  decisions: z.array(decisionSchema),
  lastAlerts: z.array(alertRowSchema),
  verdicts: z.array(verdictSchema),
  /** What happens to a packet from it now, by the kernel's own sets; `unknown` when the kernel was not asked. */
  outcome: z.enum(['passes', 'dropped', 'rate_limited', 'unknown']).optional(),
  /** The elements it meets. */
  path: z.array(packetStepSchema).optional(),
  /** The answer in sentences. */
  text: z.array(z.string()),
});
export type ExplainResponse = z.infer<typeof explainResponseSchema>;

export const decisionOperations = defineOperations({
  listDecisions: {
    method: 'get',
    path: '/decisions',
    summary: 'Decisions, newest first; q: ip: policy: origin: action: scope: is:simulated|applied|pending|... text',
    access: 'viewer',
    rate: 'read',
    query: decisionQuerySchema,
    status: 200,
    response: decisionPageSchema,
  },
  getDecision: {
    method: 'get',
    path: '/decisions/:id',
    summary: 'One decision with its history and alerts',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: decisionDetailSchema,
  },
  addDecision: {
    method: 'post',
    path: '/decisions',
    summary: 'Block, rate-limit or watch an address; 409 decision.protected for the protected set',
    access: 'operator',
    rate: 'write',
    body: decisionRequestSchema,
    status: 201,
    response: decisionSchema,
  },
  extendDecision: {
    method: 'post',
    path: '/decisions/:id/extend',
    summary: 'Let a decision end later: now + durationSecs',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    body: extendRequestSchema,
    status: 200,
    response: decisionSchema,
  },
  releaseDecision: {
    method: 'delete',
    path: '/decisions/:id',
    summary: 'Lift a decision now',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    body: reasonRequestSchema,
    status: 200,
    response: decisionSchema,
  },
  allowDecision: {
    method: 'post',
    path: '/decisions/:id/allow',
    summary: 'Lift a decision and exempt its address',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    body: allowReleaseRequestSchema,
    status: 200,
    response: allowReleaseResponseSchema,
  },
  listAllowlist: {
    method: 'get',
    path: '/allowlist',
    summary: 'Exemptions from blocking',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(allowEntrySchema),
  },
  addAllow: {
    method: 'post',
    path: '/allowlist',
    summary: 'Exempt an address, prefix or name from blocking',
    access: 'operator',
    rate: 'write',
    body: allowRequestSchema,
    status: 201,
    response: allowEntrySchema,
  },
  checkAllow: {
    method: 'get',
    path: '/allowlist/check',
    summary: 'What an exemption would overlap, lift and resolve to, before it is made',
    access: 'viewer',
    rate: 'read',
    query: allowCheckQuerySchema,
    status: 200,
    response: allowCheckResponseSchema,
  },
  removeAllow: {
    method: 'delete',
    path: '/allowlist/:id',
    summary: 'End an exemption',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    status: 204,
  },
  listProtected: {
    method: 'get',
    path: '/protected',
    summary: 'Addresses that are never blocked, computed from the box, and why',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(protectedEntrySchema),
  },
  explain: {
    method: 'get',
    path: '/explain',
    summary: 'What happens to this address now, and why',
    access: 'viewer',
    rate: 'read',
    query: explainQuerySchema,
    status: 200,
    response: explainResponseSchema,
  },
});
