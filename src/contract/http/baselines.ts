import { z } from 'zod';
import { hostBaselineSchema } from '../baseline.js';
import { listQuerySchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

/** How far the learning of a host has come. */
const learning = {
  /** The sensor that learned it. */
  sensor: z.string(),
  /** The learning time is not over: findings that compare with the usual are told and block nobody. */
  isLearning: z.boolean(),
  /** When the learning time is over, or was. */
  learnedMs: msSchema,
};

export const baselineSummarySchema = z.object({
  host: z.string(),
  ...learning,
  firstMs: msSchema,
  lastMs: msSchema,
  /** Services that the host contacts day by day. */
  usualPeers: z.number().int(),
  /** Mean payload bytes that the host sends outside in its busiest hour of the week. */
  peakSentBytes: z.number(),
});
export type BaselineSummary = z.infer<typeof baselineSummarySchema>;

/** `volumes[].sentBytes[h]`: hour `h` of the week, 0 = Monday 00:00 UTC; the entry with port 0 is the sum of all services. */
export const baselineDetailSchema = hostBaselineSchema.extend(learning);
export type BaselineDetail = z.infer<typeof baselineDetailSchema>;

export const baselineParamsSchema = z.strictObject({ host: z.union([z.ipv4(), z.ipv6()]) });

export const baselineOperations = defineOperations({
  listBaselines: {
    method: 'get',
    path: '/baselines',
    summary: 'What is usual of each inside host, latest seen first; q: part of the address',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(baselineSummarySchema),
  },
  getBaseline: {
    method: 'get',
    path: '/baselines/:host',
    summary: 'What is usual of one host: volume by service and hour of the week, services it contacts day by day',
    access: 'viewer',
    rate: 'read',
    params: baselineParamsSchema,
    status: 200,
    response: baselineDetailSchema,
  },
  forgetBaseline: {
    method: 'delete',
    path: '/baselines/:host',
    summary: 'Forget what was learned of a host; it is learned anew',
    access: 'operator',
    rate: 'write',
    params: baselineParamsSchema,
    status: 204,
  },
});
