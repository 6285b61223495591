import type { ModelCard } from '../../contract/model-card.js';
import type { EvidenceItem } from '../../domain/detection.js';
import { DEFAULT_WINDOWS, phraseOf, type Windows } from './feature-words.js';

const TOP_FEATURES = 5;

type CardFeature = ModelCard['schema']['features'][number];

/** The features that moved the score most, as evidence a person can read; shares are of all movement. */
export function topFeatures(
  card: ModelCard,
  row: ArrayLike<number>,
  contributions: ArrayLike<number>,
  windows: Windows = DEFAULT_WINDOWS,
): EvidenceItem[] {
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
        text: sentence(feature, value, usual, windows),
      };
    });
}

/** `212 distinct ports in 10 s; usual: 3 (1 to 8)`: a feature's value beside what is usual in benign training traffic. */
export function featureSentence(feature: CardFeature, value: number, windows: Windows): string {
  const show = (v: number): string | number => feature.vocabulary?.[v] ?? round(v);
  return sentence(feature, show(value), show(feature.usual.median), windows);
}

function sentence(feature: CardFeature, value: string | number, usual: string | number, windows: Windows): string {
  const phrase = phraseOf(feature.name, windows);
  if (phrase !== undefined && typeof value === 'number') return inWords(feature, phrase, value);
  const unit = feature.unit ? ` ${feature.unit}` : '';
  const span =
    feature.kind === 'numeric' && feature.usual.p95 > feature.usual.p05
      ? ` (${round(feature.usual.p05)} to ${round(feature.usual.p95)})`
      : '';
  const shown = feature.kind === 'flag' ? (value === 1 ? 'yes' : 'no') : `${value}${unit}`;
  const expected = feature.kind === 'flag' ? (usual === 1 ? 'yes' : 'no') : `${usual}`;
  return `${feature.name.replaceAll('_', ' ')}: ${shown}; usual: ${expected}${span}`;
}

/** `212 distinct ports in 10 s; usual: 3 (1 to 8)`. Shares are told in per cent. */
function inWords(feature: CardFeature, phrase: string, value: number): string {
  const scale = phrase.startsWith('%') ? 100 : 1;
  const { p05, median, p95 } = feature.usual;
  const [a, b, c] = [p05, median, p95].map((v) => round(v * scale));
  const span = a === c ? `${b}` : `${b} (${a} to ${c})`;
  return `${round(value * scale)} ${phrase}; usual: ${span}`;
}

/** Three significant digits for fractions, whole numbers as they are; missing values stay readable. */
function round(v: number): number {
  if (!Number.isFinite(v)) return 0;
  return Number.isInteger(v) || Math.abs(v) >= 1000 ? Math.round(v) : Number(v.toPrecision(3));
}
