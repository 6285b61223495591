import { z } from 'zod';
import type { FeatureKind } from '../domain/feature.js';
import { sealProblem } from './model-seal.js';

/**
 * Version of the bundle layout: `model.onnx`, `card.json`, `trees.bin` (tree models), `plots/*.svg`. From 2 on the model
 * carries the seal of its card.
 */
export const BUNDLE_FORMAT = 2;

export const ALGORITHMS = [
  'random-forest',
  'gradient-boosting',
  'logistic-regression',
  'svm',
  'isolation-forest',
  'autoencoder',
  'cnn',
] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** Algorithms that learn what benign looks like and need no attack labels. */
export const ANOMALY_ALGORITHMS: readonly Algorithm[] = ['isolation-forest', 'autoencoder'];

/** Label of traffic that is far from every class the model knows. */
export const UNKNOWN_LABEL = 'unknown';
/** Name of the class that means nothing is wrong; always class 0. */
export const BENIGN_LABEL = 'benign';

const fraction = z.number().min(0).max(1);

/** One feature as the model was trained on it, with what is usual for it in benign training traffic. */
export const cardFeatureSchema = z.strictObject({
  name: z.string(),
  kind: z.enum(['numeric', 'ratio', 'flag', 'category']),
  unit: z.string(),
  description: z.string(),
  vocabulary: z.array(z.string()).optional(),
  usual: z.strictObject({ p05: z.number(), median: z.number(), p95: z.number() }),
  /** Training histogram for drift: inner bin edges (n) and share of rows in each of the n + 1 bins. */
  drift: z.strictObject({ edges: z.array(z.number()), shares: z.array(fraction) }),
});

/** How a raw score becomes a probability that people can take at its word. */
export const calibrationSchema = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('none') }),
  /** Platt: 1 / (1 + exp(a * logit(score) + b)), score clipped to [1e-7, 1 - 1e-7]. */
  z.strictObject({ method: z.literal('platt'), a: z.number(), b: z.number() }),
  /** Pool-adjacent-violators: linear between knots, constant outside. */
  z.strictObject({ method: z.literal('isotonic'), x: z.array(z.number()).min(1), y: z.array(fraction).min(1) }),
  /** Temperature: sigmoid(logit(score) / temperature). */
  z.strictObject({ method: z.literal('temperature'), temperature: z.number().positive() }),
]);
export type Calibration = z.infer<typeof calibrationSchema>;

const classMetrics = z.strictObject({
  label: z.string(),
  rows: z.number(),
  precision: fraction,
  recall: fraction,
  f1: fraction,
});

/** Figures on rows that took no part in training, calibration or the choice of the threshold. */
export const metricsSchema = z.strictObject({
  rows: z.number(),
  benignRows: z.number(),
  attackRows: z.number(),
  /** At the card's threshold: benign against everything else. */
  accuracy: fraction,
  precision: fraction,
  recall: fraction,
  f1: fraction,
  falsePositiveRate: fraction,
  /** Threshold-free ranking quality of the score. */
  rocAuc: fraction,
  prAuc: fraction,
  /** Recall at the threshold which these very rows would need for the budget: the ceiling for the score. */
  recallAtBudget: fraction,
  /** Expected calibration error of the confidence, 10 bins. */
  ece: fraction,
  brier: fraction,
  /** Rows are true classes, columns predicted classes, in the card's order plus `unknown` last when open-set. */
  confusion: z.strictObject({ labels: z.array(z.string()), counts: z.array(z.array(z.number())) }),
  perClass: z.array(classMetrics),
  /** Detection rate of each original label (attack type) at the threshold. */
  perLabel: z.array(z.strictObject({ label: z.string(), rows: z.number(), detected: fraction })),
});
export type Metrics = z.infer<typeof metricsSchema>;

/** The single numbers among the figures. */
export type FigureName = { [K in keyof Metrics]: Metrics[K] extends number ? K : never }[keyof Metrics];

/** Whether a figure was measured at all: of rows of one kind alone, or of no row, some do not exist and are zero in the card. */
export function isMeasured(metrics: Metrics, figure: FigureName): boolean {
  const { rows, benignRows, attackRows } = metrics;
  switch (figure) {
    case 'rows':
    case 'benignRows':
    case 'attackRows':
      return true;
    case 'recall':
      return attackRows > 0;
    case 'falsePositiveRate':
      return benignRows > 0;
    case 'accuracy':
    case 'ece':
    case 'brier':
      return rows > 0;
    default:
      return benignRows > 0 && attackRows > 0;
  }
}

const dataFileSchema = z.strictObject({
  name: z.string(),
  sha256: z.string(),
  format: z.string(),
  rowsRead: z.number(),
  rowsKept: z.number(),
  /** Rows refused, by reason. */
  rejected: z.record(z.string(), z.number()),
});

/** Everything one must know to trust, use, compare or repeat a model. */
export const modelCardSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  name: z.string(),
  /** First 16 hex digits of the SHA-256 of model.onnx: what this model is called in lists and reports. */
  id: z.string(),
  algorithm: z.enum(ALGORITHMS),
  tier: z.enum(['classification', 'anomaly']),
  description: z.string(),
  /** Epoch milliseconds; from SOURCE_DATE_EPOCH when that is set, so that builds repeat. */
  trainedMs: z.number(),
  seed: z.number(),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  files: z.record(z.string(), z.strictObject({ sha256: z.string(), bytes: z.number() })),
  schema: z.strictObject({
    name: z.string(),
    version: z.number(),
    /** SHA-256 of {@link featureSchemaText}. */
    hash: z.string(),
    features: z.array(cardFeatureSchema).min(1),
  }),
  /** Class 0 is `benign`. Anomaly models have `benign` and `anomaly`. */
  classes: z.array(z.string()).min(2),
  /** A score at or above this is reported; chosen on held-out benign rows for `falsePositiveBudget`. */
  threshold: z.number(),
  falsePositiveBudget: fraction,
  /** Novelty at or above this makes a reported flow `unknown`; absent when the model is closed-set. */
  unknownThreshold: z.number().optional(),
  calibration: calibrationSchema,
  metrics: metricsSchema,
  /** Largest absolute difference between the trainer's own evaluator and model.onnx. */
  parity: z.strictObject({ rows: z.number(), maxDifference: z.number(), tolerance: z.number() }),
  data: z.strictObject({
    files: z.array(dataFileSchema),
    split: z.string(),
    trainRows: z.number(),
    calibrationRows: z.number(),
    testRows: z.number(),
    classRows: z.record(z.string(), z.number()),
  }),
  /** Score distribution on held-out rows: inner edges and shares, for drift of the score. */
  scoreDrift: z.strictObject({ edges: z.array(z.number()), shares: z.array(fraction) }),
  /** Measured at training; absent when SOURCE_DATE_EPOCH asks for a repeatable build. */
  performance: z
    .strictObject({ trainSecs: z.number(), rowsPerSec: z.number(), latencyUsBatch1: z.number() })
    .optional(),
  parent: z.string().optional(),
  /** False for shipped models that score only where they are configured; `description` says why. */
  liveByDefault: z.boolean().optional(),
});
export type ModelCard = z.infer<typeof modelCardSchema>;

/**
 * Canonical text of what makes two feature schemas the same: name, version, and each feature's name, kind and codes.
 * The same text as `schemaHash` of the feature stage hashes, so a card's hash is the sensor's.
 */
export function featureSchemaText(schema: {
  name: string;
  version: number;
  features: readonly { name: string; kind: FeatureKind; vocabulary?: readonly string[] | undefined }[];
}): string {
  const columns = schema.features.map((f) => [f.name, f.kind, ...(f.vocabulary ?? [])].join('\u0000'));
  return [schema.name, String(schema.version), ...columns].join('\n');
}

const EPSILON = 1e-7;

/** Log-odds of a score, with the ends cut off at 1e-7. */
export function logit(score: number): number {
  const p = Math.min(1 - EPSILON, Math.max(EPSILON, score));
  return Math.log(p / (1 - p));
}

/** The probability that a raw score stands for. Monotone; 0..1. */
export function calibrate(calibration: Calibration, score: number): number {
  switch (calibration.method) {
    case 'none':
      return Math.min(1, Math.max(0, score));
    case 'platt':
      return 1 / (1 + Math.exp(calibration.a * logit(score) + calibration.b));
    case 'temperature':
      return 1 / (1 + Math.exp(-logit(score) / calibration.temperature));
    case 'isotonic':
      return interpolate(calibration.x, calibration.y, score);
  }
}

function interpolate(x: readonly number[], y: readonly number[], at: number): number {
  let hi = x.findIndex((v) => v >= at);
  if (hi === 0) return y[0] ?? 0;
  if (hi < 0) return y[y.length - 1] ?? 0;
  hi = Math.max(1, hi);
  const x0 = x[hi - 1] ?? 0;
  const x1 = x[hi] ?? 0;
  const y0 = y[hi - 1] ?? 0;
  const y1 = y[hi] ?? 0;
  return x1 === x0 ? y1 : y0 + ((y1 - y0) * (at - x0)) / (x1 - x0);
}

/** Reads one file of a bundle; throws when it is not there. */
export type BundleReader = (name: string) => Uint8Array;

export type BundleCheck = { ok: true; card: ModelCard } | { ok: false; reason: string };

/** Whether a bundle is whole: the card is valid, every file has the stated hash, the schema hash is right, the seal holds. */
export function checkBundle(read: BundleReader, sha256: (data: Uint8Array | string) => string): BundleCheck {
  const fail = (reason: string): BundleCheck => ({ ok: false, reason });
  let card: ModelCard;
  let onnx: Uint8Array;
  try {
    const parsed = modelCardSchema.safeParse(JSON.parse(new TextDecoder().decode(read('card.json'))));
    if (!parsed.success) {
      const problems = parsed.error.issues.slice(0, 5).map((i) => `${i.path.join('.') || 'card'}: ${i.message}`);
      return fail(`card.json is not a model card (${problems.join('; ')})`);
    }
    card = parsed.data;
    if (!card.files['model.onnx']) return fail('card.json does not list model.onnx');
    onnx = read('model.onnx');
    for (const [name, expected] of Object.entries(card.files)) {
      const bytes = name === 'model.onnx' ? onnx : read(name);
      if (sha256(bytes) !== expected.sha256) return fail(`${name} has another hash than card.json says`);
    }
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
  if (sha256(featureSchemaText(card.schema)) !== card.schema.hash) {
    return fail('its feature schema has another hash than card.json says');
  }
  const problem = sealProblem(onnx, card, sha256);
  return problem === undefined ? { ok: true, card } : fail(problem);
}
