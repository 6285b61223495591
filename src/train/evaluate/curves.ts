/** One point of a ROC or precision-recall curve; thresholds fall along the curve. */
export interface CurvePoint {
  threshold: number;
  falsePositiveRate: number;
  recall: number;
  precision: number;
}

/** The curve over all distinct scores; rows with equal scores move together, so ties cannot flatter. */
export function curve(score: ArrayLike<number>, isAttack: ArrayLike<number>): CurvePoint[] {
  const order = Uint32Array.from({ length: score.length }, (_, i) => i).sort((a, b) => score[b]! - score[a]!);
  let attacks = 0;
  for (let i = 0; i < score.length; i++) attacks += isAttack[i]! ? 1 : 0;
  const benign = score.length - attacks;
  const points: CurvePoint[] = [];
  let tp = 0;
  let fp = 0;
  for (let i = 0; i < order.length; i++) {
    if (isAttack[order[i]!]!) tp++;
    else fp++;
    if (i + 1 < order.length && score[order[i + 1]!]! === score[order[i]!]!) continue;
    points.push({
      threshold: score[order[i]!]!,
      falsePositiveRate: benign > 0 ? fp / benign : 0,
      recall: attacks > 0 ? tp / attacks : 0,
      precision: tp / (tp + fp),
    });
  }
  return points;
}

/** Area under the ROC curve (trapezoids): the chance that an attack scores above a benign row. */
export function rocAuc(points: readonly CurvePoint[]): number {
  let area = 0;
  let x = 0;
  let y = 0;
  for (const p of points) {
    area += ((p.falsePositiveRate - x) * (p.recall + y)) / 2;
    x = p.falsePositiveRate;
    y = p.recall;
  }
  return clamp(area);
}

/** What a curve says in three numbers. */
export interface CurveFigures {
  rocAuc: number;
  /** Average precision: the step-wise area under the precision-recall curve. */
  prAuc: number;
  /** Best recall whose false-positive rate is within the budget. */
  recallAtBudget: number;
}

/**
 * The figures of {@link curve} without its points: eight bytes a row at the most, however many scores differ, where a point
 * for each of millions of rows would take gigabytes.
 */
export function curveFigures(score: Float32Array, isAttack: Uint8Array, budget: number): CurveFigures {
  const attacks = score.filter((_, r) => isAttack[r] === 1).sort();
  const benign = score.filter((_, r) => isAttack[r] !== 1).sort();
  let [a, b] = [attacks.length, benign.length];
  let [x, y, roc, pr, best] = [0, 0, 0, 0, 0];
  while (a > 0 || b > 0) {
    const threshold = Math.max(attacks[a - 1] ?? -Infinity, benign[b - 1] ?? -Infinity);
    while (a > 0 && !(attacks[a - 1]! < threshold)) a--;
    while (b > 0 && !(benign[b - 1]! < threshold)) b--;
    const [tp, fp] = [attacks.length - a, benign.length - b];
    const rate = benign.length > 0 ? fp / benign.length : 0;
    const recall = attacks.length > 0 ? tp / attacks.length : 0;
    roc += ((rate - x) * (recall + y)) / 2;
    pr += (recall - y) * (tp / (tp + fp));
    if (rate <= budget) best = Math.max(best, recall);
    [x, y] = [rate, recall];
  }
  return { rocAuc: clamp(roc), prAuc: clamp(pr), recallAtBudget: best };
}

/** Lowest threshold at which at most `budget` of the benign scores alarm (score >= threshold). */
export function thresholdForBudget(benignScores: Float32Array, budget: number): number {
  if (benignScores.length === 0) return 0.5;
  const sorted = Float32Array.from(benignScores).sort().reverse();
  const allowed = Math.floor(budget * sorted.length);
  const first = sorted[allowed];
  return first === undefined ? 0 : nextFloat32(first);
}

/** The smallest float32 above a non-negative float32. */
export function nextFloat32(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setUint32(0, view.getUint32(0) + 1);
  return view.getFloat32(0);
}

function clamp(v: number): number {
  return Math.min(1, Math.max(0, v));
}

/** False alarms that the budget must allow on the calibration rows before they say where it is spent. */
const COUNTABLE_ALARMS = 10;
/** A score of a classifier at which an attack is as likely as not. */
const EVEN_ODDS = 0.5;

/**
 * Where a model alarms on at most the budget's share of benign rows. A classifier that separates a few dozen benign rows
 * without an error would spend the budget at a score next to zero, and alarm on every flow that is a little different:
 * rows too few to count false alarms on cannot take it below even odds. Scores of anomaly models have no such point.
 */
export function chooseThreshold(benign: Float32Array, budget: number, isAnomaly: boolean): number {
  const threshold = thresholdForBudget(benign, budget);
  const isCountable = benign.length * budget >= COUNTABLE_ALARMS;
  return isAnomaly || isCountable ? threshold : Math.max(EVEN_ODDS, threshold);
}
