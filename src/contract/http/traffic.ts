import { z } from 'zod';
import { flowRecordSchema } from '../ipc.js';
import { listQuerySchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

export const flowSchema = flowRecordSchema.extend({ id: z.string(), sensor: z.string() });
export type StoredFlow = z.infer<typeof flowSchema>;

export const overviewQuerySchema = z.strictObject({ minutes: z.coerce.number().int().min(1).max(10080).default(60) });

/** One step of the timeline; counts within the step. */
export const timelinePointSchema = z.object({
  atMs: msSchema,
  packets: z.number(),
  bytes: z.number(),
  flows: z.number(),
  kernelDrops: z.number(),
  alerts: z.number(),
  blocks: z.number(),
});
export type TimelinePoint = z.infer<typeof timelinePointSchema>;

export const overviewSchema = z.object({
  fromMs: msSchema,
  toMs: msSchema,
  stepSecs: z.number(),
  /** Share of traffic by IP protocol or application protocol, largest first. */
  protocols: z.array(z.object({ name: z.string(), flows: z.number(), packets: z.number(), bytes: z.number() })),
  talkers: z.array(z.object({ address: z.string(), flows: z.number(), packets: z.number(), bytes: z.number() })),
  offenders: z.array(z.object({ address: z.string(), alerts: z.number(), lastMs: msSchema })),
  labels: z.array(z.object({ label: z.string(), alerts: z.number() })),
  severities: z.array(z.object({ severity: z.string(), alerts: z.number() })),
  /** Blocks by the tier that led to them. */
  tiers: z.array(z.object({ tier: z.string(), alerts: z.number(), blocks: z.number() })),
  timeline: z.array(timelinePointSchema),
});
export type Overview = z.infer<typeof overviewSchema>;

export const trafficOperations = defineOperations({
  listFlows: {
    method: 'get',
    path: '/flows',
    summary: 'Flows, newest end first; q: ip: port: proto: app: bytes> -x',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(flowSchema),
  },
  statsOverview: {
    method: 'get',
    path: '/stats/overview',
    summary: 'Protocol mix, top talkers and the timeline of packets, alerts and blocks',
    access: 'viewer',
    rate: 'read',
    query: overviewQuerySchema,
    status: 200,
    response: overviewSchema,
  },
});
