import { z } from 'zod';
import { FLEET_ROLES, policiesInForceSchema } from '../fleet.js';
import { msSchema } from './common.js';
import { defineOperations } from './operation.js';

export const fleetMemberViewSchema = z.object({
  name: z.string(),
  role: z.enum(FLEET_ROLES),
  site: z.string(),
  version: z.string(),
  mode: z.string(),
  /** Heard of in the last seconds. */
  alive: z.boolean(),
  /** When it was last heard of. */
  heardMs: msSchema,
  startedMs: msSchema,
  sensor: z.object({
    connected: z.boolean(),
    interfaces: z.array(z.string()),
    packets: z.number(),
    kernelDrops: z.number(),
  }),
  responder: z.object({
    connected: z.boolean(),
    backend: z.string(),
    /** Decisions that should be in force on it, and those that are. */
    desired: z.number(),
    enforced: z.number(),
  }),
  decisions: z.object({
    known: z.number(),
    /** Said by somebody who may not, or not signed by whom they name. */
    refused: z.number(),
    /** Made there and not confirmed by the bus yet. */
    waiting: z.number(),
    /** From when a decision was made elsewhere to when it came here, 95th percentile of the last ones. */
    lagP95Ms: z.number(),
  }),
  spool: z.object({
    /** Detections and flow reports that wait there for the bus. */
    waiting: z.number(),
    bytes: z.number(),
    /** Dropped because the spool was full. */
    dropped: z.number(),
  }),
  /** Policies that it judges by; null of a member that does not tell. */
  policies: policiesInForceSchema.nullable(),
});
export type FleetMemberView = z.infer<typeof fleetMemberViewSchema>;

export const fleetSchema = z.object({
  /** null: this server stands alone. */
  self: z
    .object({ name: z.string(), site: z.string(), connected: z.boolean(), server: z.string(), lastError: z.string() })
    .nullable(),
  /** The server that does what only one may do: training, feeds, retention. */
  scheduler: z.string().nullable(),
  members: z.array(fleetMemberViewSchema),
});
export type Fleet = z.infer<typeof fleetSchema>;

export const fleetOperations = defineOperations({
  getFleet: {
    method: 'get',
    path: '/fleet',
    summary: 'Members of the fleet: versions, health, lag, and what is enforced where',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: fleetSchema,
  },
});
