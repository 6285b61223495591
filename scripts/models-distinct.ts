import { rowsWhere, takeRows, type Table } from '../src/train/table/table.js';

/** Each row once: KDD Cup 1999 is mostly copies of a few rows, and copies neither teach nor measure anything. */
export function distinct(table: Table): Table {
  const seen = new Set<string>();
  const rows = rowsWhere(table, (r) => {
    const key = `${table.group[r]} ${table.label[r]}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return takeRows(table, rows);
}
