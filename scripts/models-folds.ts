import { foldsByGroup } from '../src/train/table/split.js';
import type { Table } from '../src/train/table/table.js';

export const TYPE_FOLDS = 3;

/** Attack types are dealt into folds by size; a fold's types are never trained on, its benign rows neither. */
export function foldsByType(table: Table): { foldOf: (row: number) => number; dealt: string[] } {
  const counts = table.labels.map((label, l) => ({ l, label, n: 0 }));
  for (const l of table.label) counts[l]!.n++;
  const types = counts.filter((t) => t.label !== 'benign').sort((a, b) => b.n - a.n);
  const fold = new Map(types.map((t, i) => [t.l, i % TYPE_FOLDS]));
  const benign = foldsByGroup(table, TYPE_FOLDS, 2);
  const names = (k: number): string[] => types.filter((t) => fold.get(t.l) === k).map((t) => t.label);
  return {
    foldOf: (r) => fold.get(table.label[r]!) ?? benign[r]!,
    dealt: Array.from({ length: TYPE_FOLDS }, (_, k) => names(k).join(' ')),
  };
}
