import { z } from 'zod';

/** Settings of model scoring. */
export const scoringOptionsSchema = z.strictObject({
  models: z
    .array(z.string())
    .default([])
    .describe('Model bundle folders; each scores the vectors of its feature schema'),
  batchRows: z.number().int().min(1).max(1024).default(128).describe('Rows that make a batch'),
  flushMs: z.number().int().min(1).max(1000).default(5).describe('Longest wait of a row for its batch to fill, in ms'),
  queueBatches: z
    .number()
    .int()
    .min(2)
    .max(4096)
    .default(64)
    .describe('Batches in flight; beyond it rows are shed and counted'),
  maxDetectionsPerSec: z.number().int().min(1).default(2000).describe('Detections per model and second of packet time'),
});
export type ScoringOptions = z.infer<typeof scoringOptionsSchema>;
