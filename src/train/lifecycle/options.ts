import cron from 'node-cron';
import { z } from 'zod';
import { parseCidr } from '../../util/ip.js';

const network = z.string().refine((text) => parseCidr(text) !== undefined, 'must be an address or prefix');

/** What becomes of a label that other tiers or other people contradict. */
export const CONTRADICTED_LABELS = ['set_aside', 'use'] as const;

/** Settings of the nightly retraining. */
export const trainingOptionsSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('Retrain by the schedule; training by hand works in any case'),
  schedule: z
    .string()
    .refine((text) => cron.validate(text), 'must be five fields of cron, as "30 3 * * *", or six with seconds in front')
    .default('30 3 * * *')
    .describe('When to retrain: five fields of cron, in local time (seconds as a sixth in front)'),
  models: z
    .array(z.string())
    .default([])
    .describe('Names of the models to retrain; empty: every classifier that scores live traffic'),
  promotion: z
    .enum(['suggest', 'automatic'])
    .default('suggest')
    .describe('suggest: a better challenger waits for a person; automatic: it takes over'),
  minNewLabels: z.number().int().min(1).default(50).describe('Labels since the last training below which none starts'),
  maxLabelWeight: z.number().min(1).max(100).default(10).describe('Weight of one label against one row of base data'),
  maxLabelShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.1)
    .describe("Largest share of a class's training weight that the labels about one source may have"),
  maxLabellerShare: z
    .number()
    .min(0.01)
    .max(1)
    .default(0.25)
    .describe("Largest share of a class's training weight that the labels of one person may have"),
  contradictedLabels: z
    .enum(CONTRADICTED_LABELS)
    .default('set_aside')
    .describe('Labels that other tiers or other people contradict: set_aside until a second person agrees, or use'),
  protectedNetworks: z
    .array(network)
    .default([])
    .describe('Addresses and prefixes whose traffic must stay benign: monitoring, backups, scanners of your own'),
  base: z
    .array(z.string())
    .default([])
    .describe('Feature tables every run starts from; empty: the one shipped in models/base'),
  shadowRows: z
    .number()
    .int()
    .min(0)
    .default(20_000)
    .describe('Live vectors a challenger scores beside the champion before a verdict'),
  shadowMinutes: z.number().min(0).default(60).describe('Shortest time it does so'),
  keepOneIn: z
    .number()
    .int()
    .min(1)
    .default(6)
    .describe('Of the flows a sensor draws by chance, one in so many is kept for training'),
  maxSamples: z
    .number()
    .int()
    .min(0)
    .default(20_000)
    .describe('Sampled flows that a run takes as benign, newest first'),
  keepSamples: z.number().int().min(0).default(100_000).describe('Sampled flows kept in the database'),
  keepVersions: z.number().int().min(1).max(50).default(5).describe('Versions of a model kept for rollback'),
  maxRows: z.number().int().min(1000).default(300_000).describe('Rows of base data a run keeps in memory'),
  maxHeapMiB: z.number().int().min(128).default(1024).describe('Heap of the training process, MiB'),
  driftRows: z
    .number()
    .int()
    .min(1000)
    .max(100_000)
    .default(3000)
    .describe('Newest sampled vectors drift is measured on'),
});
export type TrainingOptions = z.infer<typeof trainingOptionsSchema>;
