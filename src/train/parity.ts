import type { InferenceSession } from 'onnxruntime-node';
import { AppError } from '../util/errors.js';
import type { TrainedModel } from './model.js';
import { scoreRows } from './onnx/session.js';
import { takeRows, type Table } from './table/table.js';

const PARITY_ROWS = 1000;
export const PARITY_TOLERANCE = 1e-4;

/**
 * Largest difference between the trainer's own evaluator and the exported file.
 * @throws AppError when it is above the tolerance: such an export is never written.
 */
export async function measureParity(
  model: TrainedModel,
  session: InferenceSession,
  table: Table,
): Promise<{ rows: number; maxDifference: number; tolerance: number }> {
  const step = Math.max(1, Math.floor(table.rows / PARITY_ROWS));
  const rows = Math.min(PARITY_ROWS, table.rows);
  const sample = takeRows(
    table,
    Array.from({ length: rows }, (_, i) => i * step),
  );
  const scores = await scoreRows(session, sample.x, rows, sample.columns);
  const exported = scores.probabilities ?? scores.score;
  let maxDifference = 0;
  for (let r = 0; r < rows; r++) {
    const expected = model.reference(sample.x, r * sample.columns);
    for (const [i, value] of expected.entries()) {
      const difference = Math.abs(value - exported[r * expected.length + i]!);
      if (!(difference <= maxDifference)) maxDifference = difference;
    }
  }
  if (!(maxDifference <= PARITY_TOLERANCE)) {
    throw new AppError({
      kind: 'bug',
      code: 'train.parity',
      message: `model.onnx differs from the trained model by ${maxDifference} (limit ${PARITY_TOLERANCE}); nothing was written.`,
    });
  }
  return { rows, maxDifference, tolerance: PARITY_TOLERANCE };
}
