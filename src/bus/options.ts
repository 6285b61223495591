import { z } from 'zod';

/** Unix sockets between the daemons; sensor and responder dial, the server listens. */
export const busOptionsSchema = z.strictObject({
  sensorPath: z.string().min(1).default('/run/portcullis/sensor/bus.sock').describe('socket that sensors dial'),
  responderPath: z
    .string()
    .min(1)
    .default('/run/portcullis/responder/bus.sock')
    .describe('socket that responders dial'),
  inlinePath: z.string().min(1).optional().describe('socket that inline daemons dial; none unless given'),
  mode: z.number().int().min(0).max(0o777).default(0o660).describe('permission bits of both sockets'),
  group: z.string().optional().describe('group that owns both sockets; the group of the server unless given'),
  maxLineBytes: z
    .number()
    .int()
    .min(1024)
    .default(1024 * 1024)
    .describe('longest message that the server accepts; a longer one ends the connection'),
  maxQueuedBytes: z
    .number()
    .int()
    .min(64 * 1024)
    .default(32 * 1024 * 1024)
    .describe('messages held back for a slow peer, each lane; the oldest are dropped and counted'),
});
export type BusOptions = z.infer<typeof busOptionsSchema>;
