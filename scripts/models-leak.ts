import { curve, rocAuc } from '../src/train/evaluate/curves.js';
import { anomalyClasses } from '../src/train/table/classes.js';
import { splitByGroup } from '../src/train/table/split.js';
import { rowsWhere, takeRows, type Table } from '../src/train/table/table.js';
import { BOOSTING_DEFAULTS, trainBoosting } from '../src/train/trees/boosting.js';
import { evaluateEnsemble } from '../src/train/trees/ensemble.js';

/** A feature that separates so well alone says where traffic was made, not what it does. */
export const LEAK_AUC = 0.995;

export interface Leak {
  feature: string;
  auc: number;
}

/**
 * The leak test: boosted trees on one feature at a time must not tell attacks from benign traffic. What identifies a
 * generator (a TTL, a port, a window size) does so nearly perfectly; behaviour takes several features.
 * @returns every feature with its area under the ROC curve on held-out groups, highest first.
 */
export function singleFeatureAuc(table: Table, ignored: readonly string[]): Leak[] {
  const { y } = anomalyClasses(table);
  const split = splitByGroup(table, { seed: 1 });
  const test = split.test;
  const isAttack = Uint8Array.from(test, (r) => y[r]!);
  return table.schema.features
    .flatMap((feature, column) => {
      if (ignored.includes(feature.name)) return [];
      const one = oneColumn(table, column);
      const train = takeRows(one, split.train);
      const ensemble = trainBoosting(
        {
          x: train.x,
          rows: train.rows,
          columns: 1,
          y: Uint8Array.from(split.train, (r) => y[r]!),
          weight: train.weight,
          classes: 2,
        },
        { ...BOOSTING_DEFAULTS, rounds: 20, maxLeaves: 15 },
      );
      const out = new Float64Array(ensemble.base.length);
      const scores = Float32Array.from(test, (r) => {
        evaluateEnsemble(ensemble, one.x, r, out);
        return out[0]!;
      });
      return [{ feature: feature.name, auc: rocAuc(curve(scores, isAttack)) }];
    })
    .sort((a, b) => b.auc - a.auc);
}

/** @throws Error naming the features that separate alone. */
export function refuseLeaks(table: Table, ignored: readonly string[]): Leak[] {
  const list = singleFeatureAuc(table, ignored);
  const leaks = list.filter((l) => l.auc >= LEAK_AUC);
  if (leaks.length === 0) return list;
  throw new Error(
    `These features separate attacks from benign traffic alone, which behaviour does not: ${leaks
      .map((l) => `${l.feature} (area ${l.auc.toFixed(4)})`)
      .join(', ')}. Leave them out or mend the data.`,
  );
}

function oneColumn(table: Table, column: number): Table {
  const rows = rowsWhere(table, () => true);
  return {
    ...table,
    schema: { ...table.schema, features: [table.schema.features[column]!] },
    columns: 1,
    x: Float32Array.from(rows, (r) => table.x[r * table.columns + column]!),
  };
}
