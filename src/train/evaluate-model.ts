import type { Metrics } from '../contract/model-card.js';
import { AppError } from '../util/errors.js';
import type { Bundle } from './bundle.js';
import { measureDecisions } from './evaluate/metrics.js';
import { createScoreStream, type ScoreStream } from './evaluate/stream.js';
import { openSession } from './onnx/session.js';
import { knownSchemas } from './schemas.js';
import { anomalyClasses, makeClasses } from './table/classes.js';
import { flowClass } from './table/flow-classes.js';
import type { DataFormat } from './table/formats.js';
import { streamRows, type FileReport } from './table/read-tables.js';
import { schemaHash, type Classes, type Labelled } from './table/table.js';

export interface Evaluation {
  model: { name: string; id: string; algorithm: string };
  files: FileReport[];
  threshold: number;
  metrics: Metrics;
  rowsPerSec: number;
}

/**
 * Measures a bundle on files with the threshold and calibration of its card. Every row is judged as it is read; in memory
 * stay some bytes a row.
 */
export async function evaluateModel(
  bundle: Bundle,
  paths: readonly string[],
  options: { format: 'auto' | DataFormat; missing: 'reject' | 'keep'; onProgress?: (rows: number) => void },
): Promise<Evaluation> {
  const { card } = bundle;
  const kddColumns = card.schema.name === 'kdd41' ? 'all' : 'network';
  const session = await openSession(bundle.onnx);
  let stream: ScoreStream | undefined;
  const files = await streamRows(paths, { ...options, kddColumns, schemas: knownSchemas() }, (schema) => {
    if (schemaHash(schema) === card.schema.hash) return (stream = createScoreStream(schema, session, card));
    throw new AppError({
      kind: 'user',
      code: 'model.schema_mismatch',
      message: `The data has feature schema ${schema.name} v${schema.version}, the model wants ${card.schema.name} v${card.schema.version}.`,
      fix: 'Make the data with `portcullis features --schema` of the model, or train anew.',
    });
  });
  const { rows, decisions } = stream!.finish();
  const classes = classesLike(rows, card.classes, card.tier === 'anomaly');
  return {
    model: { name: card.name, id: card.id, algorithm: card.algorithm },
    files,
    threshold: card.threshold,
    metrics: measureDecisions(rows, classes, decisions, card),
    rowsPerSec: Math.round(rows.rows / Math.max(1e-9, stream!.secs)),
  };
}

/** The card's classes for other data: a label that the model does not know counts as `attack`, or its first attack class. */
export function classesLike(rows: Labelled, names: readonly string[], isAnomaly: boolean): Classes {
  if (isAnomaly) return anomalyClasses(rows);
  const own = [makeClasses(rows, 'label', 0), makeClasses(rows, 'family', 0)].find((c) =>
    c.names.some((n) => classLike(n, names) > 0),
  );
  const fallback = Math.max(names.indexOf('attack'), 1);
  const classes = own ?? makeClasses(rows, 'binary', 0);
  const map = classes.names.map((n, c) => (c === 0 ? 0 : classLike(n, names) > 0 ? classLike(n, names) : fallback));
  return { names, y: classes.y.map((c) => map[c]!) };
}

/** `ssh_brute_force` is a model's `brute_force` when it has no class of that name. */
function classLike(name: string, names: readonly string[]): number {
  return names.includes(name) ? names.indexOf(name) : names.indexOf(flowClass(name) ?? '');
}
