import type { ModelCurves } from '../../contract/http/models.js';
import type { CurvePoint } from './curves.js';

/** Points that show the shape of a curve. */
const MAX_POINTS = 400;
const SCORE_BINS = 50;

/** What a console draws of a model: `curves.json` of the bundle. */
export function curvesOf(
  points: readonly CurvePoint[],
  calibration: readonly { rows: number; confidence: number; attacks: number }[],
  score: Float32Array,
  isAttack: Uint8Array,
): ModelCurves {
  const step = Math.max(1, Math.ceil(points.length / MAX_POINTS));
  const bins = { benign: new Array<number>(SCORE_BINS).fill(0), attack: new Array<number>(SCORE_BINS).fill(0) };
  for (let r = 0; r < score.length; r++) {
    const at = Math.min(SCORE_BINS - 1, Math.max(0, Math.floor(score[r]! * SCORE_BINS)));
    bins[isAttack[r] ? 'attack' : 'benign'][at]!++;
  }
  const round = (v: number): number => Number(v.toPrecision(6));
  return {
    points: points
      .filter((_, i) => i % step === 0 || i === points.length - 1)
      .map((p) => ({
        threshold: round(p.threshold),
        falsePositiveRate: round(p.falsePositiveRate),
        recall: round(p.recall),
        precision: round(p.precision),
      })),
    calibration: calibration
      .filter((b) => b.rows > 0)
      .map((b) => ({ rows: b.rows, confidence: round(b.confidence / b.rows), attacks: round(b.attacks / b.rows) })),
    scores: bins,
  };
}
