import { z } from 'zod';
import { ALGORITHMS } from '../contract/model-card.js';
import { CLASS_MODES } from './table/classes.js';
import { DATA_FORMATS } from './table/formats.js';

/** Everything that decides what a training run makes; equal options and data give equal model bytes. */
export const trainOptionsSchema = z.strictObject({
  data: z.array(z.string()).min(1).describe('Data files: CSV, optionally .gz'),
  format: z
    .enum(['auto', ...DATA_FORMATS])
    .default('auto')
    .describe('Kind of table'),
  algorithm: z.enum(ALGORITHMS).describe('What to train'),
  out: z.string().describe('Folder of the model bundle'),
  name: z.string().optional().describe('Name in the card; the folder name unless given'),
  description: z.string().default('').describe('One sentence for the card'),
  classes: z.enum(CLASS_MODES).default('auto').describe('What to tell apart'),
  split: z.enum(['group', 'time']).default('group').describe('How rows are held out'),
  balance: z.enum(['none', 'weights', 'undersample', 'smote']).default('none').describe('Treatment of rare classes'),
  benignShare: z
    .number()
    .gt(0)
    .lt(1)
    .optional()
    .describe('With balance weights: share of all weight that benign rows have; equal for every class unless given'),
  missing: z.enum(['reject', 'keep']).default('reject').describe('Rows with empty or NaN cells'),
  kddColumns: z.enum(['network', 'all']).default('network').describe('28 live columns of KDD tables, or all 41'),
  falsePositiveBudget: z.number().min(0).max(0.5).default(0.005).describe('Share of benign flows that may alarm'),
  maxRows: z.number().int().min(100).default(1_000_000).describe('Rows kept in memory; a sample beyond'),
  ignore: z
    .array(z.string())
    .default([])
    .describe('Features the model must not use, e.g. what gives the place of capture away'),
  monotone: z
    .array(z.string())
    .default([])
    .describe('Features of which more never makes a flow less suspicious (random forest)'),
  monotoneShare: z.number().gt(0).max(1).default(1).describe('Share of the trees that keep those features monotone'),
  seed: z.number().int().min(0).default(1),
  epochs: z.number().int().min(1).max(10_000).optional(),
  batchSize: z.number().int().min(1).max(65_536).optional(),
  trees: z.number().int().min(1).max(5000).optional(),
  maxLeaves: z.number().int().min(2).max(4096).optional(),
  learningRate: z.number().positive().max(10).optional(),
  l1: z.number().min(0).optional(),
  l2: z.number().min(0).optional(),
  kernel: z.enum(['linear', 'rbf']).optional(),
  categories: z
    .enum(['codes', 'target'])
    .optional()
    .describe('How boosted trees see categories: as their codes, or in the order of their share of attacks'),
});
export type TrainOptions = z.infer<typeof trainOptionsSchema>;
