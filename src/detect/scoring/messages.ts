/** What a model needs in the scoring worker. */
export interface WorkerModel {
  key: number;
  onnx: Uint8Array;
  features: number;
  classes: number;
  threshold: number;
  /** What is usual for each feature: stands in for it when its share is measured by leaving it out. */
  usual: Float32Array;
  /** Measure feature shares by occlusion for reported rows (models without trees or feature errors). */
  occlude: boolean;
}

export type ToWorker =
  | { type: 'load'; model: WorkerModel }
  | { type: 'unload'; key: number }
  | { type: 'score'; batch: number; x: SharedArrayBuffer; rows: number; columns: number; keys: readonly number[] };

/** One model's answer for a batch. */
export interface BatchScores {
  key: number;
  score: Float32Array;
  /** Most likely attack class of each row, as its index; 1 for anomaly models. */
  attackClass: Uint8Array;
  novelty?: Float32Array;
  /** Row-major [rows, features]: squared reconstruction errors, or loss of score by occlusion. */
  shares?: Float32Array;
  error?: string;
}

export type FromWorker =
  | { type: 'loaded'; key: number }
  | { type: 'refused'; key: number; reason: string }
  | { type: 'scored'; batch: number; results: BatchScores[] };
