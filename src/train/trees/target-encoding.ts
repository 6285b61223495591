import type { OnnxGraph } from '../onnx/graph.js';
import type { Table } from '../table/table.js';

/** Rows of the average share of attacks that each code is given besides, so that a rare code does not go to an end. */
const PRIOR_ROWS = 20;

/** The place of each code of one category feature, 0 for the fewest attacks. */
export interface CodeOrder {
  feature: number;
  places: number[];
}

/**
 * Target encoding of categories for trees: codes are put in the order of their share of attacks in training (smoothed), and
 * trees split that order. For two classes the best split into any two sets of codes is one of these (Fisher, 1958; Breiman
 * et al., 1984, 9.4); the codes themselves come in the order of a vocabulary, which means nothing. A code that training
 * did not see has the average share.
 */
export function fitTargetEncoding(table: Table, y: Uint8Array, ignored: ReadonlySet<number> = new Set()): CodeOrder[] {
  const overall = shareOf(table, y);
  return table.schema.features.flatMap(({ vocabulary }, feature) => {
    if (vocabulary === undefined || ignored.has(feature)) return [];
    const attacks = new Float64Array(vocabulary.length).fill(PRIOR_ROWS * overall);
    const all = new Float64Array(vocabulary.length).fill(PRIOR_ROWS);
    for (let r = 0; r < table.rows; r++) {
      const code = table.x[r * table.columns + feature]!;
      if (Number.isNaN(code)) continue;
      all[code]! += table.weight[r]!;
      if (y[r] !== 0) attacks[code]! += table.weight[r]!;
    }
    const order = [...all.keys()].sort((a, b) => attacks[a]! / all[a]! - attacks[b]! / all[b]! || a - b);
    const places = new Array<number>(vocabulary.length).fill(0);
    for (const [place, code] of order.entries()) places[code] = place;
    return [{ feature, places }];
  });
}

function shareOf(table: Table, y: Uint8Array): number {
  let [attacks, all] = [0, 0];
  for (let r = 0; r < table.rows; r++) {
    all += table.weight[r]!;
    if (y[r] !== 0) attacks += table.weight[r]!;
  }
  return attacks / Math.max(Number.MIN_VALUE, all);
}

/** Puts places in the stead of codes in the row at `at`; a missing value stays missing. */
export function encodeRow(x: Float32Array, at: number, orders: readonly CodeOrder[]): void {
  for (const { feature, places } of orders) {
    const code = x[at + feature]!;
    if (!Number.isNaN(code)) x[at + feature] = places[Math.min(places.length - 1, Math.max(0, Math.trunc(code)))]!;
  }
}

/** All rows of a table encoded, as a copy; the table itself where there is nothing to encode. */
export function encodeRows(table: Table, orders: readonly CodeOrder[]): Table {
  if (orders.length === 0) return table;
  const x = table.x.slice();
  for (let r = 0; r < table.rows; r++) encodeRow(x, r * table.columns, orders);
  return { ...table, x };
}

/** Adds the same to a graph. @param columns features of `x`, [N, columns]. @returns the encoded [N, columns]. */
export function addTargetEncoding(graph: OnnxGraph, x: string, columns: number, orders: readonly CodeOrder[]): string {
  if (orders.length === 0) return x;
  const encoded = new Map(orders.map((o, i) => [o.feature, i]));
  const plain = Array.from({ length: columns }, (_, f) => f).filter((f) => !encoded.has(f));
  const parts = orders.map(({ feature, places }) => {
    const code = graph.node('Gather', [x, graph.int64s([feature])], { axis: 1 });
    const isMissing = graph.node('IsNaN', [code]);
    const present = graph.node('Where', [isMissing, graph.scalar(0), code]);
    const bounded = graph.node('Clip', [present, graph.scalar(0), graph.scalar(places.length - 1)]);
    const place = graph.node('Gather', [graph.floats(places), graph.node('Cast', [bounded], { to: 7 })]);
    return graph.node('Where', [isMissing, code, place]);
  });
  const joined = graph.node('Concat', [graph.node('Gather', [x, graph.int64s(plain)], { axis: 1 }), ...parts], {
    axis: 1,
  });
  const at = (feature: number): number => {
    const i = encoded.get(feature);
    return i === undefined ? plain.indexOf(feature) : plain.length + i;
  };
  return graph.node('Gather', [joined, graph.int64s(Array.from({ length: columns }, (_, f) => at(f)))], { axis: 1 });
}
