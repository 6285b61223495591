import type { ModelCard } from '../../contract/model-card.js';
import type { EvidenceItem } from '../../domain/detection.js';

const TOP_FEATURES = 5;

/** The features that moved the score most, as evidence a person can read; shares are of all movement. */
export function topFeatures(card: ModelCard, row: ArrayLike<number>, contributions: ArrayLike<number>): EvidenceItem[] {
  let total = 0;
  for (let f = 0; f < contributions.length; f++) total += Math.abs(contributions[f]!);
  if (total === 0) return [];
  const order = card.schema.features.map((_, f) => f).sort((a, b) => contributions[b]! - contributions[a]! || a - b);
  return order
    .slice(0, TOP_FEATURES)
    .filter((f) => contributions[f]! > 0)
    .map((f) => {
      const feature = card.schema.features[f]!;
      const show = (v: number): string | number => feature.vocabulary?.[v] ?? round(v);
      const value = show(row[f]!);
      const usual = show(feature.usual.median);
      return {
        name: feature.name,
        value,
        ...(feature.unit ? { unit: feature.unit } : {}),
        usual,
        contribution: round(contributions[f]! / total),
        text: sentence(feature, value, usual),
      };
    });
}

function sentence(
  feature: ModelCard['schema']['features'][number],
  value: string | number,
  usual: string | number,
): string {
  const unit = feature.unit ? ` ${feature.unit}` : '';
  const span =
    feature.kind === 'numeric' && feature.usual.p95 > feature.usual.p05
      ? ` (${round(feature.usual.p05)} to ${round(feature.usual.p95)})`
      : '';
  const shown = feature.kind === 'flag' ? (value === 1 ? 'yes' : 'no') : `${value}${unit}`;
  const expected = feature.kind === 'flag' ? (usual === 1 ? 'yes' : 'no') : `${usual}`;
  return `${feature.name.replaceAll('_', ' ')}: ${shown}; usual: ${expected}${span}`;
}

/** Three significant digits for fractions, whole numbers as they are; missing values stay readable. */
function round(v: number): number {
  if (!Number.isFinite(v)) return 0;
  return Number.isInteger(v) || Math.abs(v) >= 1000 ? Math.round(v) : Number(v.toPrecision(3));
}
