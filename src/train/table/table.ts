import { createHash } from 'node:crypto';
import { featureSchemaText } from '../../contract/model-card.js';
import type { FeatureSchema } from '../../domain/feature.js';

/**
 * Labelled feature rows: `x[row * columns + column]`, in the schema's order; NaN is a missing value.
 * `label` indexes `labels` (original attack names); classes are made from labels later.
 */
export interface Table {
  schema: FeatureSchema;
  columns: number;
  rows: number;
  x: Float32Array;
  label: Uint16Array;
  labels: readonly string[];
  weight: Float32Array;
  /** Rows of one group (a capture, a source, copies of the same row) never stand on both sides of a split. */
  group: Uint32Array;
  /** Epoch seconds of each row, or NaN: for splits by time. */
  time: Float64Array;
}

/** What of a table says whose rows they are. */
export type Labelled = Pick<Table, 'schema' | 'rows' | 'label' | 'labels'>;

/** SHA-256 of a feature schema's canonical text. */
export function schemaHash(schema: FeatureSchema): string {
  return createHash('sha256').update(featureSchemaText(schema)).digest('hex');
}

/** The chosen rows of a table, in the given order; rows may repeat. */
export function takeRows(table: Table, rows: ArrayLike<number>): Table {
  const { columns } = table;
  const n = rows.length;
  const out: Table = {
    ...table,
    rows: n,
    x: new Float32Array(n * columns),
    label: new Uint16Array(n),
    weight: new Float32Array(n),
    group: new Uint32Array(n),
    time: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const r = rows[i]!;
    out.x.set(table.x.subarray(r * columns, (r + 1) * columns), i * columns);
    out.label[i] = table.label[r]!;
    out.weight[i] = table.weight[r]!;
    out.group[i] = table.group[r]!;
    out.time[i] = table.time[r]!;
  }
  return out;
}

/** Row numbers for which the test holds. */
export function rowsWhere(table: Table, test: (row: number) => boolean): Int32Array {
  const out: number[] = [];
  for (let r = 0; r < table.rows; r++) if (test(r)) out.push(r);
  return Int32Array.from(out);
}

/** What a model is taught to tell apart: class 0 is benign. */
export interface Classes {
  names: readonly string[];
  /** Class of each row. */
  y: Uint8Array;
}
