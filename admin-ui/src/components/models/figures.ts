import type { ModelInfo } from '@/api/types';
import { formatCount, formatShare } from '@/format/number';
import { m } from '@/messages';

/** In the order in which a person asks: how many attacks, at what price, how good in general, is the confidence honest. */
const KEYS = [
  'recall',
  'falsePositiveRate',
  'precision',
  'recallAtBudget',
  'f1',
  'accuracy',
  'rocAuc',
  'prAuc',
  'ece',
  'brier',
  'rows',
] as const;
type Key = (typeof KEYS)[number];
const SHARES: readonly Key[] = ['recall', 'falsePositiveRate', 'precision', 'recallAtBudget', 'accuracy'];

export interface Figure {
  key: Key;
  name: string;
  help: string;
  text: string;
}

/** The measured figures of a model that it has, with names for people. */
export function figuresOf(metrics: ModelInfo['metrics']): Figure[] {
  return KEYS.flatMap((key) => {
    const value = metrics[key];
    if (typeof value !== 'number') return [];
    const text = key === 'rows' ? formatCount(value) : SHARES.includes(key) ? formatShare(value) : value.toFixed(4);
    return [{ key, ...m.models.figures[key], text }];
  });
}
