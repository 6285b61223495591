import { z } from 'zod';
import { listQuerySchema, msSchema, pageOf } from './common.js';
import { defineOperations } from './operation.js';

const traffic = { flows: z.number(), bytesIn: z.number(), bytesOut: z.number() };

/** A host of the own networks: what it does, and what it usually does. */
export const hostSchema = z.object({
  address: z.string(),
  firstMs: msSchema,
  lastMs: msSchema,
  /** The last 24 hours. */
  ...traffic,
  /** Most distinct peers in an hour of the last 24. */
  peers: z.number(),
  /** Alerts in which it is offender or peer, last 24 hours. */
  alerts: z.number(),
  /** Median of its hours with traffic in the 7 days before, and how far the busiest hour of the last 24 lies above it (1 = as usual). */
  baseline: z
    .object({
      hours: z.number(),
      bytesPerHour: z.number(),
      flowsPerHour: z.number(),
      peersPerHour: z.number(),
      ratio: z.number(),
    })
    .nullable(),
});
export type Host = z.infer<typeof hostSchema>;

const peerSchema = z.object({
  address: z.string(),
  /** Belongs to the own networks. */
  own: z.boolean(),
  ...traffic,
  /** Busiest services, `proto/port` of the side that was called. */
  services: z.array(z.string()),
  firstMs: msSchema,
  lastMs: msSchema,
  /** Is under a decision in force. */
  blocked: z.boolean(),
  alerts: z.number(),
});
export type HostPeer = z.infer<typeof peerSchema>;

export const hostGraphSchema = z.object({
  address: z.string(),
  own: z.boolean(),
  fromMs: msSchema,
  toMs: msSchema,
  /** Peers by bytes, largest first. */
  peers: z.array(peerSchema),
  /** Flows that were looked at; the newest when there were more than the limit. */
  flows: z.number(),
  truncated: z.boolean(),
  /** Hours, oldest first, for the baseline chart; empty for an address outside the own networks. */
  hours: z.array(z.object({ atMs: msSchema, ...traffic, peers: z.number() })),
});
export type HostGraph = z.infer<typeof hostGraphSchema>;

export const hostParamsSchema = z.strictObject({ address: z.string().min(2).max(45) });
export const hostGraphQuerySchema = z.strictObject({
  minutes: z.coerce.number().int().min(1).max(10080).default(1440),
});

export const hostOperations = defineOperations({
  listHosts: {
    method: 'get',
    path: '/hosts',
    summary: 'Hosts of the own networks, last seen first, with their baseline; q: ip: or words',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(hostSchema),
  },
  getHost: {
    method: 'get',
    path: '/hosts/:address',
    summary: 'One address: peers, services and hours, as a graph',
    access: 'viewer',
    rate: 'read',
    params: hostParamsSchema,
    query: hostGraphQuerySchema,
    status: 200,
    response: hostGraphSchema,
  },
});
