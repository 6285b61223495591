import type { Knowledge } from '../scoring/knowledge.js';

/** What to say about a flow that is unlike the baseline; how far decides how loud, since no class is known. */
export function anomalyKnowledge(score: number, threshold: number): Knowledge {
  const excess = threshold < 1 ? (score - threshold) / (1 - threshold) : 0;
  return {
    title: 'Flow unlike the learnt baseline',
    category: 'anomaly',
    severity: excess >= 0.5 ? 'medium' : 'low',
    offender: 'source',
  };
}
