import assert from 'node:assert/strict';
import { test } from 'node:test';
import { balance } from '../../../src/train/table/balance.js';
import { checkClasses, makeClasses } from '../../../src/train/table/classes.js';
import { foldsByGroup, splitByGroup, splitByTime } from '../../../src/train/table/split.js';
import { rowsWhere, takeRows, type Table } from '../../../src/train/table/table.js';
import { AppError } from '../../../src/util/errors.js';
import { syntheticTable } from './synthetic.js';

/** Groups of 1 to 40 rows, each with rows of several labels. */
function grouped(rows: number): Table {
  const table = syntheticTable(rows, 3);
  let group = 0;
  for (let r = 0, left = 0; r < rows; r++, left--) {
    if (left <= 0) left = 1 + ((++group * 7) % 40);
    table.group[r] = group;
  }
  return table;
}

test('no group stands on two sides of a split, every row stands on one, and shares come out near 60/20/20', () => {
  const table = grouped(4000);
  const split = splitByGroup(table, { seed: 5 });
  const parts = [split.train, split.calibration, split.test];
  const sideOf = new Map<number, number>();
  for (const [side, rows] of parts.entries()) {
    for (const r of rows) {
      const g = table.group[r]!;
      assert.ok((sideOf.get(g) ?? side) === side, `group ${g} is on two sides`);
      sideOf.set(g, side);
    }
  }
  assert.equal(
    parts.reduce((n, p) => n + p.length, 0),
    table.rows,
  );
  for (const [i, share] of [0.6, 0.2, 0.2].entries()) assert.ok(Math.abs(parts[i]!.length / table.rows - share) < 0.06);
});

test('a split by rows would put groups on both sides: the check above can fail', () => {
  const table = grouped(4000);
  const byRow = rowsWhere(table, (r) => r % 2 === 0);
  const even = new Set(Array.from(byRow, (r) => table.group[r]!));
  assert.ok([...rowsWhere(table, (r) => r % 2 === 1)].some((r) => even.has(table.group[r]!)));
});

test('a split by time trains on the past and tests on the latest, and wants times', () => {
  const table = syntheticTable(1000, 1);
  const { train, test: late } = splitByTime(table, {});
  const newest = Math.max(...Array.from(train, (r) => table.time[r]!));
  assert.ok(Array.from(late, (r) => table.time[r]!).every((t) => t >= newest));
  table.time[17] = NaN;
  assert.throws(
    () => splitByTime(table, {}),
    (e) => e instanceof AppError && e.code === 'train.split_time',
  );
});

test('folds keep groups together', () => {
  const table = grouped(2000);
  const folds = foldsByGroup(table, 5, 1);
  const foldOf = new Map<number, number>();
  for (let r = 0; r < table.rows; r++) {
    assert.equal(foldOf.get(table.group[r]!) ?? folds[r], folds[r]);
    foldOf.set(table.group[r]!, folds[r]!);
  }
  assert.equal(new Set(folds).size, 5);
});

test('class weights give each class the same weight, under-sampling and SMOTE even out the counts', () => {
  const table = syntheticTable(2000, 2);
  const classes = makeClasses(table, 'label');
  const counts = (y: Uint8Array): number[] => classes.names.map((_, c) => y.filter((v) => v === c).length);
  const weighted = balance(table, classes, { method: 'weights', seed: 1 });
  const weightOf = (c: number): number =>
    weighted.table.weight.reduce((sum, w, r) => sum + (classes.y[r] === c ? w : 0), 0);
  for (const c of [1, 2]) assert.ok(Math.abs(weightOf(c) / weightOf(0) - 1) < 1e-3);
  const prior = balance(table, classes, { method: 'weights', seed: 1, benignShare: 0.7 }).table.weight;
  const total = prior.reduce((a, b) => a + b, 0);
  const benign = prior.reduce((sum, w, r) => sum + (classes.y[r] === 0 ? w : 0), 0);
  assert.ok(Math.abs(benign / total - 0.7) < 1e-3, 'benign rows have the share that was asked for');
  const under = balance(table, classes, { method: 'undersample', seed: 1, maxFactor: 1 });
  assert.equal(new Set(counts(under.classes.y)).size, 1);
  assert.equal(under.table.rows, under.classes.y.length);
  const smote = balance(table, classes, { method: 'smote', seed: 1 });
  assert.equal(new Set(counts(smote.classes.y)).size, 1);
  const made = takeRows(
    smote.table,
    rowsWhere(smote.table, (r) => r >= table.rows),
  );
  for (let r = 0; r < made.rows; r++) {
    assert.ok([0, 1].includes(made.x[r * 8 + 4]!), 'a flag stays a flag');
    assert.ok([0, 1, 2].includes(made.x[r * 8 + 5]!), 'a category stays a category');
  }
});

test('one class only, no benign rows and an empty class are told apart', () => {
  const table = syntheticTable(300, 2);
  const only = (label: string): Table =>
    takeRows(
      table,
      rowsWhere(table, (r) => table.labels[table.label[r]!] === label),
    );
  const code = (t: Table, y?: Uint8Array): string => {
    const classes = makeClasses(t, 'label', 0);
    try {
      checkClasses(classes, y ?? classes.y, false);
      return 'ok';
    } catch (error) {
      return error instanceof AppError ? error.code : String(error);
    }
  };
  assert.equal(code(table), 'ok');
  assert.equal(code(only('benign')), 'train.one_class');
  assert.equal(code(only('scan')), 'train.no_benign');
  assert.equal(
    code(
      table,
      makeClasses(table, 'label', 0).y.filter((c) => c !== 1),
    ),
    'train.empty_class',
  );
});
