import '../../util/no-telemetry.js';
import type { InferenceSession } from 'onnxruntime-node';
import { AppError, errorMessage } from '../../util/errors.js';

/** Outputs of a model over all rows of a table. */
export interface Scores {
  score: Float32Array;
  /** Row-major [rows, classes]; classifiers only. */
  probabilities?: Float32Array;
  /** Distance from the known classes; open-set models only. */
  novelty?: Float32Array;
  /** Row-major [rows, features]; autoencoders only. */
  featureError?: Float32Array;
}

const BATCH = 1024;
/** Batches are filled up to a multiple of this: matrix kernels round a row differently when it is left over. */
const ROW_BLOCK = 4;
const OUTPUTS = {
  score: 'score',
  probabilities: 'probabilities',
  novelty: 'novelty',
  feature_error: 'featureError',
} as const;

/** Opens a model from bytes with one thread, so that equal input gives equal output. @throws AppError when broken. */
export async function openSession(onnx: Uint8Array): Promise<InferenceSession> {
  try {
    // Loaded when a model is opened: the server imports this folder and never scores.
    const { InferenceSession } = await import('onnxruntime-node');
    return await InferenceSession.create(onnx, { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 });
  } catch (error) {
    throw new AppError({
      kind: 'user',
      code: 'model.onnx_broken',
      message: `model.onnx cannot be loaded: ${errorMessage(error)}.`,
      fix: 'Train it again or restore it from a backup; `portcullis model rollback` returns to the last one.',
      cause: error,
    });
  }
}

/** Scores all rows in batches. */
export async function scoreRows(
  session: InferenceSession,
  x: Float32Array,
  rows: number,
  columns: number,
): Promise<Scores> {
  const { Tensor } = await import('onnxruntime-node');
  const parts: Partial<Record<keyof Scores, Float32Array>> = {};
  for (let start = 0; start < rows; start += BATCH) {
    const n = Math.min(BATCH, rows - start);
    const padded = Math.ceil(n / ROW_BLOCK) * ROW_BLOCK;
    const values = new Float32Array(padded * columns);
    values.set(x.subarray(start * columns, (start + n) * columns));
    const result = await session.run({ x: new Tensor('float32', values, [padded, columns]) });
    for (const [name, key] of Object.entries(OUTPUTS)) {
      const data = result[name]?.data;
      if (!(data instanceof Float32Array)) continue;
      const width = data.length / padded;
      const whole = (parts[key] ??= new Float32Array(rows * width));
      whole.set(data.subarray(0, n * width), start * width);
    }
  }
  return { ...parts, score: parts.score ?? new Float32Array(0) };
}
