import { z } from 'zod';

const early = {
  earlyPackets: z.int().min(1).max(1000).default(8).describe('Packets of a flow after which its early vector is taken'),
  earlyMs: z
    .int()
    .min(10)
    .max(1900)
    .default(500)
    .describe('Milliseconds of packet time after which the early vector is taken, if the packets did not come first'),
  maxPendingFlows: z
    .int()
    .min(1024)
    .max(16_777_216)
    .default(262_144)
    .describe('Flows that can wait for their early vector; the oldest is passed over beyond this'),
};

/** Options of schema `flow`. */
export const flowFeatureOptionsSchema = z.strictObject({
  ...early,
  idleGapSecs: z
    .number()
    .min(0.1)
    .max(600)
    .default(5)
    .describe('A silence of at least this many seconds ends an active period and counts as idle time'),
  shortWindowSecs: z.number().min(1).max(600).default(10).describe('Seconds of the short history windows'),
  longWindowSecs: z.number().min(10).max(86_400).default(300).describe('Seconds of the long history windows'),
  maxHistoryKeys: z
    .int()
    .min(64)
    .max(16_777_216)
    .default(65_536)
    .describe('Sources, pairs and destinations remembered, each; the longest unseen is evicted beyond this'),
});

/** Options of schema `kdd`. */
export const kddFeatureOptionsSchema = z.strictObject({
  ...early,
  timeWindowSecs: z.number().min(0.1).max(60).default(2).describe('Seconds of the time window (KDD: 2)'),
  timeWindowConnections: z
    .int()
    .min(2)
    .max(1_048_576)
    .default(511)
    .describe('Most connections in the time window; count and srv_count of the KDD tables end at 511'),
  hostWindowConnections: z
    .int()
    .min(2)
    .max(65_536)
    .default(255)
    .describe('Connections in the dst_host_* window; the task text says 100, the published tables reach 255'),
});

export type FlowFeatureOptions = z.infer<typeof flowFeatureOptionsSchema>;
export type KddFeatureOptions = z.infer<typeof kddFeatureOptionsSchema>;
