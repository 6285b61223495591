import { z } from 'zod';
import { decisionSchema } from '../ipc.js';
import { alertRowSchema } from './alerts.js';
import { jobSchema } from './captures.js';
import { incidentSchema } from './incident-schema.js';
import { trainingRunSchema } from './training.js';
import { statusSchema } from './system.js';
import { timelinePointSchema } from './traffic.js';

export const LIVE_PATH = '/api/v1/live';
export const LIVE_TOPICS = ['alerts', 'incidents', 'decisions', 'status', 'stats', 'training', 'jobs'] as const;
export type LiveTopic = (typeof LIVE_TOPICS)[number];

/** First message of the client; `since` asks for what came after that sequence number. */
export const liveAuthSchema = z.strictObject({
  type: z.literal('auth'),
  token: z.string().min(1).max(4096),
  topics: z.array(z.enum(LIVE_TOPICS)).min(1).max(LIVE_TOPICS.length),
  since: z.number().int().min(0).optional(),
});
/** Sent later with a fresh access token, so the feed outlives the first one. */
export const liveRenewSchema = z.strictObject({ type: z.literal('renew'), token: z.string().min(1).max(4096) });
export const liveClientMessageSchema = z.discriminatedUnion('type', [liveAuthSchema, liveRenewSchema]);

export const liveEventSchema = z.discriminatedUnion('topic', [
  z.object({ topic: z.literal('alerts'), data: alertRowSchema }),
  z.object({ topic: z.literal('incidents'), data: incidentSchema }),
  z.object({ topic: z.literal('decisions'), data: decisionSchema }),
  z.object({ topic: z.literal('status'), data: statusSchema }),
  z.object({ topic: z.literal('stats'), data: timelinePointSchema }),
  z.object({ topic: z.literal('training'), data: trainingRunSchema }),
  z.object({ topic: z.literal('jobs'), data: jobSchema }),
]);
export type LiveEvent = z.infer<typeof liveEventSchema>;
export type LiveChange = 'created' | 'updated' | 'removed';
/** What a client receives for each change. */
export type LiveUpdate = LiveEvent & { seq: number; type: LiveChange };
/** `resync`: something was left out; load the lists again. */
export type LiveControl = { type: 'hello'; seq: number } | { type: 'resync'; seq: number } | { type: 'renewed' };
export type LiveServerMessage = LiveUpdate | LiveControl;
/** Close codes: 4400 bad message, 4401 no or bad token, 4403 wrong origin, 4408 no auth in time, 4429 too many. */
export const LIVE_CLOSE = {
  BAD_MESSAGE: 4400,
  UNAUTHENTICATED: 4401,
  ORIGIN: 4403,
  TIMEOUT: 4408,
  BUSY: 4429,
} as const;
