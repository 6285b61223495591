import type { ModelCard } from '../contract/model-card.js';
import { baseline } from './evaluate/drift.js';
import { rowsWhere, type Table } from './table/table.js';

const SAMPLE = 50_000;

/** The card's features: definition, what is usual in benign training rows, and the training histogram for drift. */
export function describeFeatures(table: Table, y: Uint8Array): ModelCard['schema']['features'] {
  const benign = sample(rowsWhere(table, (r) => y[r] === 0));
  const all = sample(rowsWhere(table, () => true));
  return table.schema.features.map((f, c) => {
    const column = (rows: Int32Array): Float64Array =>
      Float64Array.from(rows, (r) => table.x[r * table.columns + c]!).filter((v) => !Number.isNaN(v));
    const usual = column(benign).sort();
    const at = (q: number): number => usual[Math.min(usual.length - 1, Math.floor(q * usual.length))] ?? 0;
    return {
      name: f.name,
      kind: f.kind,
      unit: f.unit,
      description: f.description,
      ...(f.vocabulary ? { vocabulary: [...f.vocabulary] } : {}),
      usual: { p05: at(0.05), median: at(0.5), p95: at(0.95) },
      drift: baseline(column(all)),
    };
  });
}

function sample(rows: Int32Array): Int32Array {
  const step = Math.ceil(rows.length / SAMPLE);
  return step <= 1 ? rows : rows.filter((_, i) => i % step === 0);
}
