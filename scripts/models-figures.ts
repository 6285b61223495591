import { curve, rocAuc, thresholdForBudget } from '../src/train/evaluate/curves.js';

/** Shares of benign rows that may alarm. */
export const BUDGETS = [0.005, 0.05] as const;

/** What one algorithm said of one fold. */
export interface FoldScores {
  isAnomaly: boolean;
  trainRows: number;
  secs: number;
  /** Benign rows that chose the threshold. */
  heldBenign: Float32Array;
  test: Float32Array;
  isAttack: Uint8Array;
}

export interface Figures {
  trainRows: number;
  secs: number;
  accuracy: number;
  auc: number;
  /** Recall and false alarms at the threshold that spends each budget on benign rows of the training part. */
  atBudget: { recall: number; falseAlarms: number }[];
}

export function figuresOf(fold: FoldScores): Figures {
  const middle = fold.isAnomaly ? thresholdForBudget(fold.heldBenign, 0.05) : 0.5;
  const attacks = fold.isAttack.reduce((a, b) => a + b, 0);
  const at = rates(fold, (i) => fold.test[i]! >= middle);
  const right = at.recall * attacks + (1 - at.falseAlarms) * (fold.isAttack.length - attacks);
  return {
    trainRows: fold.trainRows,
    secs: fold.secs,
    accuracy: right / fold.isAttack.length,
    auc: rocAuc(curve(fold.test, fold.isAttack)),
    atBudget: BUDGETS.map((budget) => {
      const threshold = thresholdForBudget(fold.heldBenign, budget);
      return rates(fold, (i) => fold.test[i]! >= threshold);
    }),
  };
}

/** Two tiers, each with half of the budget: an alarm of either is an alarm. */
export function combine(a: FoldScores, b: FoldScores): Figures['atBudget'] {
  return BUDGETS.map((budget) => {
    const limits = [a, b].map((fold) => thresholdForBudget(fold.heldBenign, budget / 2));
    return rates(a, (i) => a.test[i]! >= limits[0]! || b.test[i]! >= limits[1]!);
  });
}

function rates(fold: FoldScores, alarms: (i: number) => boolean): { recall: number; falseAlarms: number } {
  let [attacks, benign, found, wrong] = [0, 0, 0, 0];
  for (let i = 0; i < fold.isAttack.length; i++) {
    if (fold.isAttack[i]) attacks++;
    else benign++;
    if (!alarms(i)) continue;
    if (fold.isAttack[i]) found++;
    else wrong++;
  }
  return { recall: attacks > 0 ? found / attacks : 0, falseAlarms: benign > 0 ? wrong / benign : 0 };
}

export function mean(list: readonly Figures[]): Figures {
  const of = (get: (f: Figures) => number): number => list.reduce((sum, f) => sum + get(f), 0) / list.length;
  return {
    trainRows: Math.round(of((f) => f.trainRows)),
    secs: of((f) => f.secs),
    accuracy: of((f) => f.accuracy),
    auc: of((f) => f.auc),
    atBudget: meanRates(list.map((f) => f.atBudget)),
  };
}

export function meanRates(list: readonly Figures['atBudget'][]): Figures['atBudget'] {
  return BUDGETS.map((_, i) => ({
    recall: list.reduce((sum, f) => sum + f[i]!.recall, 0) / list.length,
    falseAlarms: list.reduce((sum, f) => sum + f[i]!.falseAlarms, 0) / list.length,
  }));
}
