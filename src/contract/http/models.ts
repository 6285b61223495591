import { z } from 'zod';
import { modelCardSchema } from '../model-card.js';
import { idParamsSchema, msSchema, nameParamsSchema, pageOf, sentenceSchema } from './common.js';
import { defineOperations } from './operation.js';

/** champion: reports. challenger: scores live traffic beside the champion and reports nothing. archived: kept for rollback. */
export const MODEL_STATES = ['champion', 'challenger', 'archived'] as const;

export const modelSchema = z.object({
  name: z.string(),
  /** First 16 hex digits of the SHA-256 of model.onnx. */
  version: z.string(),
  state: z.enum(MODEL_STATES),
  kind: z.enum(['classification', 'anomaly']),
  algorithm: z.string(),
  featureSchema: z.string(),
  classes: z.array(z.string()),
  threshold: z.number(),
  falsePositiveBudget: z.number(),
  trainedMs: msSchema,
  trainingRows: z.number(),
  sha256: z.string(),
  metrics: z.record(z.string(), z.union([z.number(), z.string()])),
});
export type ModelInfo = z.infer<typeof modelSchema>;

/** One promotion or rollback. */
export const modelHistorySchema = z.object({
  atMs: msSchema,
  action: z.enum(['promote', 'rollback']),
  version: z.string(),
  previous: z.string().nullable(),
  by: z.string(),
  reason: z.string(),
});
export type ModelHistory = z.infer<typeof modelHistorySchema>;

/** A challenger beside its champion on the same live vectors, since it began. */
export const shadowSchema = z.object({
  version: z.string(),
  runId: z.string(),
  sinceMs: msSchema,
  /** Live vectors that both scored. */
  rows: z.number(),
  /** At or above the threshold of both, of the champion alone, of the challenger alone. */
  both: z.number(),
  championOnly: z.number(),
  challengerOnly: z.number(),
  /** Vectors the challenger would have to score before a verdict. */
  rowsNeeded: z.number(),
  /** The challenger alarms at most as often as the policy allows. */
  ok: z.boolean(),
});
export type ShadowReport = z.infer<typeof shadowSchema>;

export const modelDetailSchema = z.object({
  /** The champion's card: data, parameters, figures, calibration, confusion matrix. */
  card: modelCardSchema,
  /** Champion first, then challenger, then archived, newest first. */
  versions: z.array(modelSchema),
  history: z.array(modelHistorySchema),
  /** Null while no challenger scores. */
  shadow: shadowSchema.nullable(),
  /** False when there is no version to return to. */
  canRollBack: z.boolean(),
});
export type ModelDetail = z.infer<typeof modelDetailSchema>;

/** Thresholds fall along a curve; at most 400 points. */
export const curvePointSchema = z.object({
  threshold: z.number(),
  falsePositiveRate: z.number(),
  recall: z.number(),
  precision: z.number(),
});
export const modelCurvesSchema = z.object({
  /** ROC is falsePositiveRate against recall, precision-recall is recall against precision. */
  points: z.array(curvePointSchema),
  /** Tenths of confidence: mean confidence and share of attacks of the rows in each. */
  calibration: z.array(z.object({ rows: z.number(), confidence: z.number(), attacks: z.number() })),
  /** Rows by score, in equal bins from 0 to 1. */
  scores: z.object({ benign: z.array(z.number()), attack: z.array(z.number()) }),
});
export type ModelCurves = z.infer<typeof modelCurvesSchema>;

export const modelVersionSchema = z.object({
  model: modelSchema,
  card: modelCardSchema,
  /** Null for models made without them. */
  curves: modelCurvesSchema.nullable(),
});
export type ModelVersion = z.infer<typeof modelVersionSchema>;

const version = z.string().regex(/^[0-9a-f]{16}$/);
export const promoteRequestSchema = z.strictObject({ version, reason: sentenceSchema(500) });
const modelReasonSchema = z.strictObject({ reason: sentenceSchema(500) });

/** Why a model said what it said of an alert's flow, with exact shares where the live path only estimates them. */
export const explanationSchema = z.object({
  model: z.string(),
  version: z.string(),
  /** tree_shap: exact Shapley values; recorded: what the detection said at the time. */
  method: z.enum(['tree_shap', 'recorded']),
  score: z.number(),
  threshold: z.number(),
  /** The output before any feature is known, and with all of them: base + sum of the shares = output. */
  base: z.number(),
  output: z.number(),
  /** Largest first, both signs; shares are in units of the output. */
  features: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      value: z.union([z.number(), z.string()]),
      usual: z.union([z.number(), z.string()]),
      share: z.number(),
      text: z.string(),
    }),
  ),
});
export type Explanation = z.infer<typeof explanationSchema>;

export const DRIFT_LEVELS = ['none', 'note', 'alarm', 'too_few_rows'] as const;
export const driftFigureSchema = z.object({
  name: z.string(),
  /** Population stability index; noted from 0.1, alarmed from 0.25. */
  psi: z.number(),
  /** Largest gap between the cumulative shares at the training bins' edges: Kolmogorov-Smirnov on binned data. */
  ks: z.number(),
  level: z.enum(DRIFT_LEVELS),
  /** Inner bin edges (n), and the share of rows in each of the n + 1 bins at training and now. */
  edges: z.array(z.number()),
  then: z.array(z.number()),
  now: z.array(z.number()),
});
export type DriftFigure = z.infer<typeof driftFigureSchema>;
export const modelDriftSchema = z.object({
  model: z.string(),
  version: z.string(),
  rows: z.number(),
  fromMs: msSchema,
  toMs: msSchema,
  level: z.enum(DRIFT_LEVELS),
  score: driftFigureSchema,
  /** Most drifted first. */
  features: z.array(driftFigureSchema),
});
export type ModelDrift = z.infer<typeof modelDriftSchema>;

const versionParamsSchema = nameParamsSchema.extend({ version });

export const modelOperations = defineOperations({
  listModels: {
    method: 'get',
    path: '/models',
    summary: 'Models with their metrics: champions, challengers and versions kept for rollback',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(modelSchema),
  },
  getModel: {
    method: 'get',
    path: '/models/:name',
    summary: "One model: the champion's card, all versions, history and the challenger's shadow scores",
    access: 'viewer',
    rate: 'read',
    params: nameParamsSchema,
    status: 200,
    response: modelDetailSchema,
  },
  getModelVersion: {
    method: 'get',
    path: '/models/:name/versions/:version',
    summary: 'Card and curves (ROC, precision-recall, calibration) of one version',
    access: 'viewer',
    rate: 'read',
    params: versionParamsSchema,
    status: 200,
    response: modelVersionSchema,
  },
  promoteModel: {
    method: 'post',
    path: '/models/:name/promote',
    summary: 'Make a challenger or an archived version the champion',
    access: 'operator',
    rate: 'write',
    params: nameParamsSchema,
    body: promoteRequestSchema,
    status: 200,
    response: modelDetailSchema,
  },
  rollbackModel: {
    method: 'post',
    path: '/models/:name/rollback',
    summary: 'Return to the champion before this one',
    access: 'operator',
    rate: 'write',
    params: nameParamsSchema,
    body: modelReasonSchema,
    status: 200,
    response: modelDetailSchema,
  },
  getDrift: {
    method: 'get',
    path: '/drift',
    summary: 'Live features and scores of each champion against its training data',
    access: 'viewer',
    rate: 'read',
    status: 200,
    response: pageOf(modelDriftSchema),
  },
  explainAlert: {
    method: 'get',
    path: '/alerts/:id/explanation',
    summary: "Shares of the features in a model's score of an alert's flow",
    access: 'viewer',
    rate: 'heavy',
    params: idParamsSchema,
    status: 200,
    response: explanationSchema,
  },
});
