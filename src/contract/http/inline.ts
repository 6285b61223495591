import { z } from 'zod';
import { inlineDropSchema, inlineModeSchema, inlineStateSchema } from '../inline.js';
import { confirmSecsSchema, pendingChangeSchema } from './changes.js';
import { listQuerySchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

/** How inline verdicts are doing; `state` is what the daemon said last. */
export const inlineStatusSchema = z.object({
  /** `inline.enabled` of the configuration. */
  enabled: z.boolean(),
  connected: z.boolean(),
  /** As chosen; the mode of the box and a pause cap what is done. */
  mode: inlineModeSchema,
  /** What the daemon is told to do now. */
  effectiveMode: inlineModeSchema,
  fail: z.enum(['open', 'closed']),
  lastSeenMs: msSchema,
  state: inlineStateSchema.nullable(),
  pending: pendingChangeSchema.optional(),
});
export type InlineStatus = z.infer<typeof inlineStatusSchema>;

export const inlineModeRequestSchema = z.strictObject({
  mode: inlineModeSchema,
  confirmSecs: confirmSecsSchema.optional(),
});

export const inlineOperations = defineOperations({
  getInline: {
    method: 'get',
    path: '/inline',
    summary: 'Inline verdicts: mode, queue depth, latency, what was judged, dropped and bypassed',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: inlineStatusSchema,
  },
  setInlineMode: {
    method: 'put',
    path: '/inline/mode',
    summary: 'Switch inline verdicts off, to counting, or to dropping; with confirmSecs taken back unless confirmed',
    access: 'operator',
    rate: 'write',
    body: inlineModeRequestSchema,
    status: 200,
    response: inlineStatusSchema,
  },
  listInlineDrops: {
    method: 'get',
    path: '/inline/drops',
    summary: 'Packets that were stopped before they passed, or would have been, by connection and rule; newest first',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(inlineDropSchema),
  },
});
