import { z } from 'zod';

/** `fleet:` section of the configuration. */
export const fleetOptionsSchema = z.strictObject({
  folder: z
    .string()
    .min(1)
    .optional()
    .describe('Folder that `portcullis fleet join` made for this member; without one the box stands alone'),
  servers: z
    .array(z.string().regex(/^[^\s,]+$/))
    .default([])
    .describe('NATS servers, host:port, instead of those in the folder: a leaf node of a branch'),
  share: z
    .enum(['all', 'site', 'box'])
    .default('all')
    .describe('How far decisions made here reach: every box, the boxes of this site, or this box alone'),
  accept: z
    .enum(['all', 'site', 'servers'])
    .default('all')
    .describe('Whose decisions are carried out here: of every member, of servers and boxes of this site, of servers'),
  policies: z
    .enum(['fleet', 'own'])
    .default('fleet')
    .describe(
      'Policies that a box decides by: its files with what is saved at any server in their place, or its files alone',
    ),
  spool_mib: z
    .number()
    .int()
    .min(1)
    .max(65_536)
    .default(256)
    .describe('Disk for detections that wait for the bus; the oldest are dropped and counted'),
  flow_spool_mib: z.number().int().min(1).max(65_536).default(64).describe('The same for flow reports'),
  stream_mib: z
    .number()
    .int()
    .min(16)
    .max(1_048_576)
    .default(1024)
    .describe('Disk of the NATS servers for detections that no server has taken yet; said once, when it is made'),
});
export type FleetOptions = z.output<typeof fleetOptionsSchema>;
