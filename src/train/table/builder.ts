import type { FeatureSchema } from '../../domain/feature.js';
import { createRandom } from '../random.js';
import type { Table } from './table.js';

/** One accepted row on its way into a table. */
export interface RowInput {
  label: string;
  /** 32-bit group number; see {@link Table}. */
  group: number;
  /** Epoch seconds, or NaN. */
  time: number;
}

export interface TableBuilder {
  /** Copies `values` (schema order). Beyond `maxRows` a seeded reservoir keeps a fair sample. */
  add(values: ArrayLike<number>, row: RowInput): void;
  /** Rows offered so far. */
  readonly seen: number;
  build(): Table;
}

/** Grows by doubling up to `maxRows`, so memory follows the rows kept and never the file. */
export function createTableBuilder(schema: FeatureSchema, options: { maxRows: number; seed: number }): TableBuilder {
  const columns = schema.features.length;
  const random = createRandom(options.seed);
  const labels: string[] = [];
  const labelIndex = new Map<string, number>();
  let capacity = Math.min(options.maxRows, 4096);
  let x = new Float32Array(capacity * columns);
  let label = new Uint16Array(capacity);
  let group = new Uint32Array(capacity);
  let time = new Float64Array(capacity);
  let rows = 0;
  let seen = 0;

  function grow(): void {
    capacity = Math.min(options.maxRows, capacity * 2);
    const bigger = <T extends Float32Array | Uint16Array | Uint32Array | Float64Array>(next: T, old: T): T => {
      next.set(old);
      return next;
    };
    x = bigger(new Float32Array(capacity * columns), x);
    label = bigger(new Uint16Array(capacity), label);
    group = bigger(new Uint32Array(capacity), group);
    time = bigger(new Float64Array(capacity), time);
  }

  function labelOf(name: string): number {
    let index = labelIndex.get(name);
    if (index === undefined) {
      index = labels.push(name) - 1;
      labelIndex.set(name, index);
    }
    return index;
  }

  return {
    get seen() {
      return seen;
    },
    add(values, row) {
      seen++;
      let at = rows;
      if (rows >= options.maxRows) {
        at = random.below(seen);
        if (at >= options.maxRows) return;
      } else {
        if (rows >= capacity) grow();
        rows++;
      }
      for (let c = 0; c < columns; c++) x[at * columns + c] = values[c]!;
      label[at] = labelOf(row.label);
      group[at] = row.group;
      time[at] = row.time;
    },
    build: () => ({
      schema,
      columns,
      rows,
      x: x.subarray(0, rows * columns),
      label: label.subarray(0, rows),
      labels,
      weight: new Float32Array(rows).fill(1),
      group: group.subarray(0, rows),
      time: time.subarray(0, rows),
    }),
  };
}
