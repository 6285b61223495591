import type { TrainOptions } from '../src/train/options.js';
import { openSession, scoreRows } from '../src/train/onnx/session.js';
import { createTableBuilder } from '../src/train/table/builder.js';
import { makeClasses } from '../src/train/table/classes.js';
import type { Table } from '../src/train/table/table.js';
import { runTrainer } from '../src/train/train-model.js';

/** Rows that were captured at one place: our lab, or a data set of others. */
export interface Origin {
  name: string;
  table: Table;
}

/** One table of several, rows in order. */
export function joinTables(tables: readonly Table[]): Table {
  const [first] = tables;
  if (!first) throw new Error('there is no table to join');
  const rows = tables.reduce((n, t) => n + t.rows, 0);
  const builder = createTableBuilder(first.schema, { maxRows: rows, seed: 1 });
  for (const t of tables) {
    for (let r = 0; r < t.rows; r++) {
      const about = { label: t.labels[t.label[r]!]!, group: t.group[r]!, time: t.time[r]! };
      builder.add(t.x.subarray(r * t.columns, (r + 1) * t.columns), about);
    }
  }
  return builder.build();
}

/** Scores of rows by a model that all of these origins train. */
export type ScoreBy = (table: Table) => Promise<Float32Array>;

export async function trainOn(origins: readonly Origin[], options: TrainOptions): Promise<ScoreBy> {
  const table = joinTables(origins.map((o) => o.table));
  const model = await runTrainer({ table, classes: makeClasses(table, options.classes) }, options, {});
  const session = await openSession(model.onnx);
  return async (t) => (await scoreRows(session, t.x, t.rows, t.columns)).score;
}
