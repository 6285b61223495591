import { z } from 'zod';
import { ACTIONS } from '../../domain/decision.js';
import { durationSecsSchema, listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** Most items of one request. */
export const RESPONSE_ITEMS_MAX = 100;

const address = z.string().trim().min(2).max(64);
const portSchema = z.number().int().min(1).max(65535);

/** What a SIEM or SOAR asks for, for one address. */
export const responseItemSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('block'),
    /** Address or prefix. */
    value: address,
    action: z.enum(ACTIONS).default('block'),
    /** Absent or 0: the configured default. Longer than the configured maximum is shortened, and the answer says so. */
    durationSecs: durationSecsSchema.optional(),
    reason: sentenceSchema(400),
    /** IP protocol number and port of one service instead of the whole address. */
    proto: z.number().int().min(0).max(255).optional(),
    port: portSchema.optional(),
  }),
  z.strictObject({
    op: z.literal('release'),
    value: address,
    reason: sentenceSchema(400),
  }),
]);
export type ResponseItem = z.output<typeof responseItemSchema>;

export const responseRequestSchema = z.strictObject({
  /**
   * Names this request: sending it again with the same key gives the first answer and does nothing. In the body, because
   * the webhook connectors of SIEMs fill in bodies, not headers.
   */
  idempotencyKey: z.string().regex(/^[\x21-\x7e]{8,128}$/, 'must be 8 to 128 printable ASCII characters'),
  /** What asks: `splunk`, `elastic`, `wazuh`, a playbook. */
  source: sentenceSchema(64),
  /** Its own number or address of the alert or case behind it. */
  reference: sentenceSchema(200).optional(),
  /** Answer what would happen, and do nothing. */
  dryRun: z.boolean().default(false),
  items: z.array(responseItemSchema).min(1).max(RESPONSE_ITEMS_MAX),
});
export type ResponseRequest = z.output<typeof responseRequestSchema>;

export const RESPONSE_OUTCOMES = ['accepted', 'unchanged', 'refused'] as const;

/** What became of one item, in the order of the request. */
export const responseAnswerSchema = z.object({
  op: z.enum(['block', 'release']),
  value: z.string(),
  /** accepted: done or simulated; unchanged: it was so already; refused: see code and message. */
  outcome: z.enum(RESPONSE_OUTCOMES),
  /** Set when refused; listed in docs/errors.md. */
  code: z.string().optional(),
  message: z.string(),
  fix: z.string().optional(),
  /** The decisions made, extended, found in force, or lifted. */
  decisionIds: z.array(z.string()),
  /** Epoch milliseconds; for blocks. */
  expiresMs: msSchema.optional(),
  /** The duration was shortened to the configured maximum. */
  capped: z.boolean(),
  /** Counted, not enforced: the mode is observe or suggest, or responses are paused. */
  simulated: z.boolean(),
});
export type ResponseAnswer = z.infer<typeof responseAnswerSchema>;

export const responseResultSchema = z.object({
  /** Of the first request with this key. */
  id: z.string(),
  atMs: msSchema,
  actor: z.string(),
  source: z.string(),
  reference: z.string(),
  idempotencyKey: z.string(),
  dryRun: z.boolean(),
  /** True when this is the stored answer of an earlier request with the same key. */
  replayed: z.boolean(),
  accepted: z.number(),
  unchanged: z.number(),
  refused: z.number(),
  items: z.array(responseAnswerSchema),
});
export type ResponseResult = z.infer<typeof responseResultSchema>;

export const responseOperations = defineOperations({
  requestResponse: {
    method: 'post',
    path: '/response-requests',
    summary: 'A SIEM or SOAR asks for blocks and releases; guarded, idempotent, one answer for each item',
    access: 'operator',
    scope: 'respond',
    rate: 'write',
    body: responseRequestSchema,
    status: 200,
    response: responseResultSchema,
  },
  listResponseRequests: {
    method: 'get',
    path: '/response-requests',
    summary: 'What SIEMs and SOARs asked for and what they were answered, newest first',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(responseResultSchema),
  },
});
