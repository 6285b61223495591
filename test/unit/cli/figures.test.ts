import assert from 'node:assert/strict';
import test from 'node:test';
import { figure, heldOut } from '../../../src/cli/figures.js';
import type { Metrics } from '../../../src/contract/model-card.js';

function metrics(benignRows: number, attackRows: number): Metrics {
  const ofAttacks = attackRows > 0 ? 0.5 : 0;
  return {
    rows: benignRows + attackRows,
    benignRows,
    attackRows,
    accuracy: 0.75,
    precision: ofAttacks,
    recall: ofAttacks,
    f1: ofAttacks,
    falsePositiveRate: benignRows > 0 ? 0.01 : 0,
    rocAuc: ofAttacks,
    prAuc: ofAttacks,
    recallAtBudget: ofAttacks,
    ece: 0.1,
    brier: 0.1,
    confusion: { labels: [], counts: [] },
    perClass: [],
    perLabel: [],
  };
}

test('a figure that no row could show is not shown as zero', () => {
  assert.equal(
    heldOut(metrics(10, 20)),
    'held-out (30 rows): recall 50.00 %, false alarms 1.00 %, accuracy 75.00 %, F1 0.5000, ROC AUC 0.5000, PR AUC 0.5000, ECE 0.1000',
  );
  assert.match(
    heldOut(metrics(0, 20)),
    /recall 50\.00 %, false alarms -, accuracy 75\.00 %, F1 -, ROC AUC -, PR AUC -, ECE 0/,
  );
  assert.match(heldOut(metrics(10, 0)), /recall -, false alarms 1\.00 %/);
  assert.match(heldOut(metrics(0, 0)), /^held-out: no rows: .* was not measured/);
  assert.equal(figure(metrics(0, 0), 'recall'), '-');
});
