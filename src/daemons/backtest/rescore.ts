import { calibrate } from '../../contract/model-card.js';
import type { Alert } from '../../domain/alert.js';
import type { Tier } from '../../domain/detection.js';
import { openBundle, openSession, scoreRows } from '../../train/index.js';

const MODEL_TIERS: ReadonlySet<Tier> = new Set(['anomaly', 'classification']);

/**
 * Judges again, with another model, the alerts that a model took part in and whose feature vectors were kept: below
 * its threshold the model's tier is withdrawn, and an alert that had no other is gone. What the other model would have
 * found besides cannot be told from alerts; captures show it.
 * @returns by alert id; null: it would not have been raised. Alerts that are not named stay as they are.
 */
export async function rescoreAlerts(
  dir: string,
  alerts: readonly Alert[],
): Promise<{ changed: Map<string, Alert | null>; rescored: number; otherSchema: number }> {
  const { card, onnx } = openBundle(dir);
  const ofModels = alerts.filter((a) => a.features && a.tiers.some((t) => MODEL_TIERS.has(t)));
  const columns = card.schema.features.length;
  // Vectors of another version of the schema have other columns.
  const isKnown = ({ features }: Alert): boolean =>
    features?.schema === card.schema.name && features.values.length === columns;
  const rows = ofModels.filter(isKnown);
  const x = new Float32Array(rows.length * columns);
  for (const [i, alert] of rows.entries()) x.set(alert.features?.values ?? [], i * columns);
  const changed = new Map<string, Alert | null>();
  const otherSchema = ofModels.length - rows.length;
  if (rows.length === 0) return { changed, rescored: 0, otherSchema };
  const session = await openSession(onnx);
  const { score } = await scoreRows(session, x, rows.length, columns);
  for (const [i, alert] of rows.entries()) changed.set(alert.id, rescored(alert, score[i]!, card));
  return { changed, rescored: rows.length, otherSchema };
}

function rescored(
  alert: Alert,
  score: number,
  card: Parameters<typeof calibrate>[0] extends infer C ? { threshold: number; tier: Tier; calibration: C } : never,
): Alert | null {
  const others = alert.tiers.filter((t) => !MODEL_TIERS.has(t));
  if (score >= card.threshold) {
    const confidence = calibrate(card.calibration, score);
    const isAlone = others.length === 0;
    return {
      ...alert,
      tiers: isAlone ? [card.tier] : [...others, card.tier],
      score: isAlone ? score : Math.max(score, alert.score),
      confidence: isAlone ? confidence : Math.max(confidence, alert.confidence),
    };
  }
  return others.length === 0 ? null : { ...alert, tiers: others };
}
