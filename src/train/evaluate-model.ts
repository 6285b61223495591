import type { Metrics } from '../contract/model-card.js';
import { AppError } from '../util/errors.js';
import type { Bundle } from './bundle.js';
import { measure } from './evaluate/metrics.js';
import { openSession, scoreRows } from './onnx/session.js';
import { knownSchemas } from './schemas.js';
import { anomalyClasses, makeClasses } from './table/classes.js';
import { readTables, type FileReport } from './table/read-tables.js';
import { schemaHash, type Classes, type Table } from './table/table.js';
import type { DataFormat } from './table/formats.js';

export interface Evaluation {
  model: { name: string; id: string; algorithm: string };
  files: FileReport[];
  threshold: number;
  metrics: Metrics;
  rowsPerSec: number;
}

/** Measures a bundle on files with the threshold and calibration of its card. */
export async function evaluateModel(
  bundle: Bundle,
  paths: readonly string[],
  options: { format: 'auto' | DataFormat; missing: 'reject' | 'keep'; maxRows: number },
): Promise<Evaluation> {
  const { card } = bundle;
  const kddColumns = card.schema.name === 'kdd41' ? 'all' : 'network';
  const { table, files } = await readTables(paths, { ...options, kddColumns, schemas: knownSchemas(), seed: 1 });
  if (schemaHash(table.schema) !== card.schema.hash) {
    throw new AppError({
      kind: 'user',
      code: 'model.schema_mismatch',
      message: `The data has feature schema ${table.schema.name} v${table.schema.version}, the model wants ${card.schema.name} v${card.schema.version}.`,
      fix: 'Make the data with `portcullis features --schema` of the model, or train anew.',
    });
  }
  const session = await openSession(bundle.onnx);
  const start = performance.now();
  const scores = await scoreRows(session, table.x, table.rows, table.columns);
  const secs = (performance.now() - start) / 1000;
  const metrics = measure(table, classesLike(table, card.classes, card.tier === 'anomaly'), scores, card);
  return {
    model: { name: card.name, id: card.id, algorithm: card.algorithm },
    files,
    threshold: card.threshold,
    metrics,
    rowsPerSec: Math.round(table.rows / Math.max(1e-9, secs)),
  };
}

/** The card's classes for other data: a label the model does not know counts as its last attack class. */
export function classesLike(table: Table, names: readonly string[], isAnomaly: boolean): Classes {
  if (isAnomaly) return anomalyClasses(table);
  const own = [makeClasses(table, 'label', 0), makeClasses(table, 'family', 0)].find((c) =>
    c.names.some((n) => n !== 'benign' && names.includes(n)),
  );
  const fallback = Math.max(names.indexOf('attack'), 1);
  const classes = own ?? makeClasses(table, 'binary', 0);
  const map = classes.names.map((n, c) => (c === 0 ? 0 : names.includes(n) ? names.indexOf(n) : fallback));
  return { names, y: classes.y.map((c) => map[c]!) };
}
