import type { Algorithm } from '../contract/model-card.js';
import type { Classes, Table } from './table/table.js';

/** Settings a trainer may use; each takes what concerns it. */
export interface TrainerOptions {
  seed: number;
  epochs?: number;
  batchSize?: number;
  trees?: number;
  maxLeaves?: number;
  learningRate?: number;
  l1?: number;
  l2?: number;
  kernel?: 'linear' | 'rbf';
  /** How boosted trees see categories: as their codes, or in the order of their share of attacks. */
  categories?: 'codes' | 'target';
  /** Columns that the model must not use; they are constant in the training rows. */
  ignored?: ReadonlySet<number>;
  /** Columns of which more never makes a row less suspicious (random forest). */
  monotone?: ReadonlySet<number>;
  /** Share of the trees that keep them so; the others may bend as the data do. */
  monotoneShare?: number;
  onProgress?: (done: number, total: number) => void;
}

export interface TrainingData {
  table: Table;
  classes: Classes;
}

/** What every trainer returns: the ONNX file and the means to check and explain it. */
export interface TrainedModel {
  algorithm: Algorithm;
  /** One file with its preprocessing inside: input `x` [N, features]; outputs `score` [N], and by kind
   * `probabilities` [N, classes], `novelty` [N], `feature_error` [N, features]. */
  onnx: Uint8Array;
  /** Path data for explanations of tree models. */
  trees?: Uint8Array;
  /** The trainer's own float64 evaluator: class probabilities of a row, or its anomaly score alone. */
  reference(x: Float32Array, at: number): Float64Array;
  parameters: Record<string, number | string | boolean>;
}

export type Trainer = (data: TrainingData, options: TrainerOptions) => TrainedModel | Promise<TrainedModel>;
