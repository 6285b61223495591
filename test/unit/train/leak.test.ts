import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LEAK_AUC, refuseLeaks, singleFeatureAuc } from '../../../scripts/models-leak.js';
import type { Table } from '../../../src/train/table/table.js';
import { syntheticTable } from './synthetic.js';

/** The last column says where a row was made: another number for attacks, with noise that no behaviour explains. */
function withLeak(table: Table): Table {
  const x = table.x.slice();
  for (let r = 0; r < table.rows; r++) {
    const isAttack = table.labels[table.label[r]!] !== 'benign';
    x[r * table.columns + table.columns - 1] = (isAttack ? 64 : 128) - (r % 3);
  }
  return { ...table, x };
}

test('a feature that gives the generator away is named and refused', () => {
  const table = withLeak(syntheticTable(2000, 1));
  assert.throws(() => refuseLeaks(table, []), /gap \(area 1\.0000\)/);
  assert.ok(
    refuseLeaks(table, ['gap', 'distinct_ports', 'syn_share', 'packets', 'bytes', 'has_reply', 'state']).length > 0,
  );
});

test('features of behaviour each tell something and none tells all', () => {
  const table = syntheticTable(2000, 1);
  const list = singleFeatureAuc(table, []);
  const auc = (name: string): number => list.find((l) => l.feature === name)!.auc;
  assert.ok(Math.abs(auc('noise') - 0.5) < 0.1, 'a feature that says nothing is at chance');
  assert.ok(auc('gap') < LEAK_AUC && auc('gap') > 0.5);
  assert.deepEqual(
    [...list].sort((a, b) => b.auc - a.auc),
    list,
  );
});
