import { AppError } from '../../util/errors.js';
import { createRandom, hashText } from '../random.js';
import { rowsWhere, type Table } from './table.js';

/** Row numbers of the three parts; a group is never in two of them. */
export interface Split {
  train: Int32Array;
  calibration: Int32Array;
  test: Int32Array;
  /** How it was made, for the model card. */
  how: string;
}

/**
 * Cuts by group so that rows of one group stay together. Groups are dealt per label: every label with at least
 * three groups is in all parts, and large groups are dealt first so that the shares come out near 60/20/20.
 */
export function splitByGroup(table: Table, options: { seed: number; calibration?: number; test?: number }): Split {
  const shares = [
    1 - (options.calibration ?? 0.2) - (options.test ?? 0.2),
    options.calibration ?? 0.2,
    options.test ?? 0.2,
  ];
  const part = new Map<number, number>();
  const rowsOf = new Map<number, Map<number, number>>();
  for (let r = 0; r < table.rows; r++) {
    const label = table.label[r]!;
    let groups = rowsOf.get(label);
    if (!groups) rowsOf.set(label, (groups = new Map()));
    const g = table.group[r]!;
    groups.set(g, (groups.get(g) ?? 0) + 1);
  }
  // Rare labels choose first: they have the fewest groups to go round.
  for (const [label, groups] of [...rowsOf].sort((a, b) => a[1].size - b[1].size || a[0] - b[0])) {
    const total = [...groups.values()].reduce((a, b) => a + b, 0);
    const have = [0, 0, 0];
    for (const [g, n] of groups) if (part.has(g)) have[part.get(g)!]! += n;
    const random = createRandom(hashText(table.labels[label] ?? '', options.seed));
    const open = [...groups]
      .filter(([g]) => !part.has(g))
      .map(([g, n]) => ({ g, n, order: random.next() }))
      .sort((a, b) => b.n - a.n || a.order - b.order);
    for (const { g, n } of open) {
      let best = 0;
      let need = -Infinity;
      for (let p = 0; p < 3; p++) {
        const lacking = shares[p]! === 0 ? -Infinity : (shares[p]! * total - have[p]!) / (shares[p]! * total);
        if (lacking > need) [best, need] = [p, lacking];
      }
      part.set(g, best);
      have[best]! += n;
    }
  }
  const rows = (p: number): Int32Array => rowsWhere(table, (r) => part.get(table.group[r]!) === p);
  return { train: rows(0), calibration: rows(1), test: rows(2), how: `by group, seed ${options.seed}` };
}

/** The oldest rows train, later ones calibrate, the latest test. @throws AppError when rows carry no time. */
export function splitByTime(table: Table, options: { calibration?: number; test?: number }): Split {
  const order = rowsWhere(table, (r) => !Number.isNaN(table.time[r]!));
  if (order.length < table.rows) {
    throw new AppError({
      kind: 'user',
      code: 'train.split_time',
      message: `${table.rows - order.length} rows have no time, so they cannot be split by time.`,
      fix: 'Use --split group.',
    });
  }
  order.sort((a, b) => table.time[a]! - table.time[b]! || a - b);
  const a = Math.floor(table.rows * (1 - (options.calibration ?? 0.2) - (options.test ?? 0.2)));
  const b = Math.floor(table.rows * (1 - (options.test ?? 0.2)));
  return { train: order.slice(0, a), calibration: order.slice(a, b), test: order.slice(b), how: 'by time' };
}

/** Fold number 0..k-1 of each row; rows of one group share a fold. */
export function foldsByGroup(table: Table, k: number, seed: number): Uint8Array {
  return Uint8Array.from(table.group, (g) => hashText(String(g), seed) % k);
}
