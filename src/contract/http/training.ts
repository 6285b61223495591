import { z } from 'zod';
import { ALGORITHMS } from '../model-card.js';
import { idParamsSchema, listQuerySchema, msSchema, pageOf, sentenceSchema } from './common.js';
import { shadowSchema } from './models.js';
import { defineOperations } from './operation.js';

export const TRAINING_STATES = [
  'running',
  /** The gate found the challenger no better. */
  'refused',
  /** Better by the gate; scores live traffic in the shadow. */
  'shadow',
  /** Better by the gate and in the shadow; waits for a person (policy `suggest`). */
  'suggested',
  'promoted',
  /** A newer challenger took its place, or a person turned it down. */
  'dismissed',
  'cancelled',
  'failed',
] as const;
export type TrainingState = (typeof TRAINING_STATES)[number];

export const gateCheckSchema = z.object({ name: z.string(), passed: z.boolean(), detail: z.string() });

export const trainingRunSchema = z.object({
  id: z.string(),
  /** Name of the champion that was challenged. */
  model: z.string(),
  algorithm: z.string(),
  trigger: z.enum(['schedule', 'person']),
  actor: z.string(),
  state: z.enum(TRAINING_STATES),
  /** A sentence: why it stands where it stands. */
  summary: z.string(),
  startedMs: msSchema,
  /** 0 while it runs. */
  finishedMs: msSchema,
  progress: z.object({ step: z.string(), done: z.number(), total: z.number() }).nullable(),
  champion: z.string(),
  /** Empty until the challenger is trained. */
  challenger: z.string(),
});
export type TrainingRun = z.infer<typeof trainingRunSchema>;

const sideBySide = z.object({ champion: z.number(), challenger: z.number() });

/** Labels that took no part in a run because other tiers or other people contradict them. */
export const setAsideSchema = z.object({
  labels: z.number(),
  byLabeller: z.array(
    z.object({
      labeller: z.string(),
      labels: z.number(),
      /** How many for each reason: protected, evidence, others, disputed, labeller. */
      reasons: z.record(z.string(), z.number()),
      /** None of this person's labels was used. */
      distrusted: z.boolean(),
    }),
  ),
  /** Some of them, of each person and reason. */
  examples: z.array(
    z.object({
      alertId: z.string(),
      source: z.string(),
      alertLabel: z.string(),
      /** What the person said: `benign` or a class. */
      label: z.string(),
      labeller: z.string(),
      reason: z.string(),
      /** Tiers that accuse the source. */
      witnesses: z.array(z.string()),
    }),
  ),
});
export type SetAside = z.infer<typeof setAsideSchema>;

export const trainingReportSchema = trainingRunSchema.extend({
  data: z
    .object({
      baseRows: z.number(),
      labels: z.number(),
      /** Labels given since the champion was trained. */
      newLabels: z.number(),
      /** Labels without a vector of this feature schema, or unsure ones. */
      labelsLeftOut: z.number(),
      benignSamples: z.number(),
      /** Labels whose weight was cut because one source or one person has too many. */
      labelsCapped: z.number(),
      /** Absent in reports of earlier versions. */
      setAside: setAsideSchema.optional(),
      classRows: z.record(z.string(), z.number()),
    })
    .nullable(),
  gate: z
    .object({
      promote: z.boolean(),
      checks: z.array(gateCheckSchema),
      /** Challenger's average precision less the champion's on recent rows, with its 95 % interval. */
      gain: z.object({ mean: z.number(), low: z.number(), high: z.number() }),
      budget: z.number(),
      thresholds: sideBySide,
    })
    .nullable(),
  /** Recall by attack family at the same budget: fixed set and recent labels. */
  families: z.array(
    z.object({ set: z.enum(['fixed', 'recent']), family: z.string(), rows: z.number() }).extend(sideBySide.shape),
  ),
  /** Benign rows that alarm at the same budget's threshold, as a share. */
  falseAlarms: z.array(
    z.object({ set: z.enum(['fixed', 'recent', 'protected']), rows: z.number() }).extend(sideBySide.shape),
  ),
  shadow: shadowSchema.nullable(),
  error: z.object({ code: z.string(), message: z.string(), fix: z.string() }).nullable(),
});
export type TrainingReport = z.infer<typeof trainingReportSchema>;

export const trainingStatusSchema = z.object({
  enabled: z.boolean(),
  /** Five fields of cron, local time. */
  schedule: z.string(),
  /** 0 when nothing is planned. */
  nextRunMs: msSchema,
  promotion: z.enum(['automatic', 'suggest']),
  running: trainingRunSchema.nullable(),
  /** Waits for a person: the newest run in state `suggested`. */
  suggested: trainingRunSchema.nullable(),
  minNewLabels: z.number(),
  models: z.array(
    z.object({
      model: z.string(),
      /** Labels since its champion was trained. */
      newLabels: z.number(),
      benignSamples: z.number(),
      /** Why a run would not help now, empty when it would. */
      blockedBy: z.string(),
    }),
  ),
});
export type TrainingStatus = z.infer<typeof trainingStatusSchema>;

export const trainingRequestSchema = z.strictObject({
  /** Name of the champion to challenge. */
  model: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  /** The champion's own unless given. */
  algorithm: z.enum(ALGORITHMS).optional(),
});

export type TrainingRequest = z.infer<typeof trainingRequestSchema>;

const dismissRequestSchema = z.strictObject({ reason: sentenceSchema(500) });

export const trainingOperations = defineOperations({
  getTraining: {
    method: 'get',
    path: '/training',
    summary: 'Schedule, what runs, what waits for a person, and what a run would have to learn from',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: trainingStatusSchema,
  },
  listTrainingRuns: {
    method: 'get',
    path: '/training/runs',
    summary: 'Training runs, newest first; q: model: state: text',
    access: 'viewer',
    rate: 'read',
    query: listQuerySchema,
    status: 200,
    response: pageOf(trainingRunSchema),
  },
  getTrainingRun: {
    method: 'get',
    path: '/training/runs/:id',
    summary: 'Report of one run: data, gate, figures of champion and challenger, shadow',
    access: 'viewer',
    rate: 'read',
    params: idParamsSchema,
    status: 200,
    response: trainingReportSchema,
  },
  startTraining: {
    method: 'post',
    path: '/training/runs',
    summary: 'Train a challenger now',
    access: 'operator',
    rate: 'heavy',
    body: trainingRequestSchema,
    status: 201,
    response: trainingRunSchema,
  },
  cancelTraining: {
    method: 'post',
    path: '/training/runs/:id/cancel',
    summary: 'Stop a run; the champion is not touched',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    status: 200,
    response: trainingRunSchema,
  },
  dismissChallenger: {
    method: 'post',
    path: '/training/runs/:id/dismiss',
    summary: 'Turn a challenger down',
    access: 'operator',
    rate: 'write',
    params: idParamsSchema,
    body: dismissRequestSchema,
    status: 200,
    response: trainingRunSchema,
  },
});
