import { calibrate, UNKNOWN_LABEL, type Calibration, type Metrics } from '../../contract/model-card.js';
import type { Scores } from '../onnx/session.js';
import type { Classes, Labelled } from '../table/table.js';
import { curveFigures } from './curves.js';

export interface DecisionRule {
  classes: readonly string[];
  threshold: number;
  unknownThreshold?: number | undefined;
  calibration: Calibration;
  falsePositiveBudget: number;
}

/** Class index of each row under the rule; `classes.length` stands for `unknown`. */
export function predict(scores: Scores, rule: DecisionRule): Uint8Array {
  const k = rule.classes.length;
  return Uint8Array.from(scores.score, (score, r) => {
    if (score < rule.threshold) return 0;
    if (rule.unknownThreshold !== undefined && scores.novelty && scores.novelty[r]! >= rule.unknownThreshold) return k;
    let best = 1;
    if (scores.probabilities) {
      for (let c = 2; c < k; c++) {
        if (scores.probabilities[r * k + c]! > scores.probabilities[r * k + best]!) best = c;
      }
    }
    return best;
  });
}

/** Every figure of the model card, on rows the model has not seen. */
export function measure(table: Labelled, classes: Classes, scores: Scores, rule: DecisionRule): Metrics {
  return measureDecisions(table, classes, { score: scores.score, predicted: predict(scores, rule) }, rule);
}

/** What a model said of each row: its score, and the class of {@link predict}. */
export interface Decisions {
  score: Float32Array;
  predicted: Uint8Array;
}

/** The same of rows whose scores became decisions already. */
export function measureDecisions(
  table: Labelled,
  classes: Classes,
  { score, predicted }: Decisions,
  rule: DecisionRule,
): Metrics {
  const k = rule.classes.length;
  const open = rule.unknownThreshold !== undefined;
  const counts = Array.from({ length: k + (open ? 1 : 0) }, () => new Array<number>(k + (open ? 1 : 0)).fill(0));
  const isAttack = Uint8Array.from(classes.y, (y) => (y > 0 ? 1 : 0));
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  const perLabel = table.labels.map((label) => ({ label, rows: 0, detected: 0 }));
  for (let r = 0; r < table.rows; r++) {
    counts[classes.y[r]!]![predicted[r]!]!++;
    const alarm = predicted[r]! > 0;
    if (isAttack[r] && alarm) tp++;
    else if (isAttack[r]) fn++;
    else if (alarm) fp++;
    else tn++;
    const entry = perLabel[table.label[r]!]!;
    entry.rows++;
    if (alarm) entry.detected++;
  }
  const { rocAuc, prAuc, recallAtBudget } = curveFigures(score, isAttack, rule.falsePositiveBudget);
  const precision = ratio(tp, tp + fp);
  const recall = ratio(tp, tp + fn);
  const hasBoth = tp + fn > 0 && fp + tn > 0;
  return {
    rows: table.rows,
    benignRows: fp + tn,
    attackRows: tp + fn,
    accuracy: ratio(tp + tn, table.rows),
    precision,
    recall,
    f1: harmonic(precision, recall),
    falsePositiveRate: ratio(fp, fp + tn),
    rocAuc: hasBoth ? rocAuc : 0,
    prAuc: hasBoth ? prAuc : 0,
    recallAtBudget,
    ...calibrationErrors(score, isAttack, rule.calibration),
    confusion: { labels: open ? [...rule.classes, UNKNOWN_LABEL] : [...rule.classes], counts },
    perClass: rule.classes.map((label, c) => {
      const rows = counts[c]!.reduce((a, b) => a + b, 0);
      const claimed = counts.reduce((sum, row) => sum + row[c]!, 0);
      const p = ratio(counts[c]![c]!, claimed);
      const q = ratio(counts[c]![c]!, rows);
      return { label, rows, precision: p, recall: q, f1: harmonic(p, q) };
    }),
    perLabel: perLabel.filter((l) => l.rows > 0).map((l) => ({ ...l, detected: l.detected / l.rows })),
  };
}

/** Share of rows and attacks in each tenth of confidence, for the calibration plot and its error. */
export function reliability(
  score: Float32Array,
  isAttack: Uint8Array,
  calibration: Calibration,
): { rows: number; confidence: number; attacks: number }[] {
  const bins = Array.from({ length: 10 }, () => ({ rows: 0, confidence: 0, attacks: 0 }));
  for (let r = 0; r < score.length; r++) {
    const p = calibrate(calibration, score[r]!);
    const bin = bins[Math.min(9, Math.floor(p * 10))]!;
    bin.rows++;
    bin.confidence += p;
    bin.attacks += isAttack[r]!;
  }
  return bins;
}

function calibrationErrors(
  score: Float32Array,
  isAttack: Uint8Array,
  calibration: Calibration,
): { ece: number; brier: number } {
  if (score.length === 0) return { ece: 0, brier: 0 };
  let ece = 0;
  for (const bin of reliability(score, isAttack, calibration)) ece += Math.abs(bin.confidence - bin.attacks);
  let brier = 0;
  for (let r = 0; r < score.length; r++) brier += (calibrate(calibration, score[r]!) - isAttack[r]!) ** 2;
  return { ece: Math.min(1, ece / score.length), brier: brier / score.length };
}

function ratio(a: number, b: number): number {
  return b > 0 ? a / b : 0;
}

function harmonic(a: number, b: number): number {
  return a + b > 0 ? (2 * a * b) / (a + b) : 0;
}
