import { createRandom, shuffle } from '../random.js';
import { takeRows, type Classes, type Table } from './table.js';

/**
 * How to treat rare classes: `weights` gives each class the same total weight (capped), `undersample` drops rows
 * of large classes, `smote` adds rows between neighbours of small ones (Chawla et al., 2002), `none` does nothing.
 */
export type Balance = 'none' | 'weights' | 'undersample' | 'smote';

export interface BalanceOptions {
  method: Balance;
  seed: number;
  /** Largest weight of a class, and largest growth of a class by `smote`. */
  maxFactor?: number;
  /** With `weights`: share of all weight that the benign rows (class 0) have; the attack classes share the rest. */
  benignShare?: number | undefined;
}

/** Applies the method to training rows only; never to rows that measure. */
export function balance(table: Table, classes: Classes, options: BalanceOptions): { table: Table; classes: Classes } {
  const k = classes.names.length;
  const counts = new Float64Array(k);
  for (const c of classes.y) counts[c]!++;
  const maxFactor = options.maxFactor ?? 10;
  const present = [...counts].filter((n) => n > 0);
  switch (options.method) {
    case 'none':
      return { table, classes };
    case 'weights': {
      const mean = table.rows / present.length;
      const { benignShare } = options;
      const part = (c: number): number => {
        if (benignShare === undefined) return mean;
        return c === 0 ? benignShare * table.rows : ((1 - benignShare) * table.rows) / Math.max(1, present.length - 1);
      };
      const factor = [...counts].map((n, c) => (n === 0 ? 0 : Math.min(maxFactor, part(c) / n)));
      const weight = Float32Array.from(table.weight, (w, r) => w * factor[classes.y[r]!]!);
      return { table: { ...table, weight }, classes };
    }
    case 'undersample': {
      const limit = maxFactor * Math.min(...present);
      const rows = pick(classes.y, k, (c) => Math.min(counts[c]!, limit), options.seed);
      return { table: takeRows(table, rows), classes: { ...classes, y: Uint8Array.from(rows, (r) => classes.y[r]!) } };
    }
    case 'smote':
      return smote(table, classes, Math.max(...present), maxFactor, options.seed);
  }
}

function pick(y: Uint8Array, k: number, limit: (c: number) => number, seed: number): Int32Array {
  const random = createRandom(seed);
  const chosen: number[] = [];
  for (let c = 0; c < k; c++) {
    const rows: number[] = [];
    for (let r = 0; r < y.length; r++) if (y[r] === c) rows.push(r);
    shuffle(rows, random);
    chosen.push(...rows.slice(0, limit(c)));
  }
  return Int32Array.from(chosen.sort((a, b) => a - b));
}

/**
 * Between a row and the nearest of 32 random rows of its class (exact neighbours cost n^2), scaled by each
 * column's spread. Flags and categories are copied from one of the two, never mixed.
 */
function smote(
  table: Table,
  classes: Classes,
  target: number,
  maxFactor: number,
  seed: number,
): { table: Table; classes: Classes } {
  const random = createRandom(seed);
  const { columns, x } = table;
  const scale = spread(table);
  const mixable = table.schema.features.map((f) => f.kind === 'numeric' || f.kind === 'ratio');
  const rows = Array.from({ length: table.rows }, (_, r) => r);
  const made: { from: number; to: number; t: number }[] = [];
  for (let c = 0; c < classes.names.length; c++) {
    const own = rows.filter((r) => classes.y[r] === c);
    if (own.length < 2) continue;
    const want = Math.min(target, own.length * maxFactor) - own.length;
    for (let i = 0; i < want; i++) {
      const from = own[random.below(own.length)]!;
      let to = from;
      let best = Infinity;
      for (let j = 0; j < 32; j++) {
        const other = own[random.below(own.length)]!;
        if (other === from) continue;
        let d = 0;
        for (let f = 0; f < columns; f++)
          d += ((x[from * columns + f]! - x[other * columns + f]!) / scale[f]!) ** 2 || 0;
        if (d < best) [best, to] = [d, other];
      }
      made.push({ from, to, t: random.next() });
    }
  }
  const out = takeRows(table, [...rows, ...made.map((m) => m.from)]);
  for (const [i, m] of made.entries()) {
    const at = (table.rows + i) * columns;
    for (let f = 0; f < columns; f++) {
      const a = x[m.from * columns + f]!;
      const b = x[m.to * columns + f]!;
      out.x[at + f] = mixable[f] ? a + m.t * (b - a) : m.t < 0.5 ? a : b;
    }
  }
  const y = Uint8Array.from([...classes.y, ...made.map((m) => classes.y[m.from]!)]);
  return { table: out, classes: { ...classes, y } };
}

/** Standard deviation of each column, 1 where it is constant. */
function spread(table: Table): Float64Array {
  const { columns, rows, x } = table;
  const sum = new Float64Array(columns);
  const squares = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    for (let f = 0; f < columns; f++) {
      const v = x[r * columns + f]!;
      if (Number.isNaN(v)) continue;
      sum[f]! += v;
      squares[f]! += v * v;
    }
  }
  return sum.map((s, f) => Math.sqrt(Math.max(0, squares[f]! / rows - (s / rows) ** 2)) || 1);
}
