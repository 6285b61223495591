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

/** Average precision: the step-wise area under the precision-recall curve. */
export function prAuc(points: readonly CurvePoint[]): number {
  let area = 0;
  let last = 0;
  for (const p of points) {
    area += (p.recall - last) * p.precision;
    last = p.recall;
  }
  return clamp(area);
}

/** Best recall whose false-positive rate is within the budget. */
export function recallAtBudget(points: readonly CurvePoint[], budget: number): number {
  let best = 0;
  for (const p of points) if (p.falsePositiveRate <= budget) best = Math.max(best, p.recall);
  return best;
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
