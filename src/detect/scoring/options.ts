import { z } from 'zod';

/** Settings of model scoring. */
export const scoringOptionsSchema = z.strictObject({
  models: z
    .array(z.string())
    .default([])
    .describe('Model bundles or folders of them; each scores the vectors of its feature schema'),
  batchRows: z.number().int().min(1).max(1024).default(128).describe('Rows that make a batch'),
  flushMs: z.number().int().min(1).max(1000).default(2).describe('Longest wait of a row for its batch to fill, in ms'),
  queueBatches: z
    .number()
    .int()
    .min(2)
    .max(4096)
    .default(64)
    .describe('Batches in flight; beyond it rows are shed and counted'),
  samplesPerFlush: z
    .number()
    .int()
    .min(0)
    .max(1000)
    .default(10)
    .describe('Scored flows drawn by chance every 10 s, for drift and as benign training data'),
  maxDetectionsPerSec: z.number().int().min(1).default(2000).describe('Detections per model and second of packet time'),
});
export type ScoringOptions = z.infer<typeof scoringOptionsSchema>;
