/** An analyst's word on one alert, with the vector that was scored. */
export interface LabelledVector {
  values: readonly number[];
  /** `benign` for a false positive, else the class. */
  label: string;
  /** Address held responsible: the one a label speaks about. */
  source: string;
  analyst: string;
  /** Epoch milliseconds. */
  atMs: number;
}

export interface LabelCaps {
  /** Weight of one label against one row of base data. */
  maxWeight: number;
  /** Largest share of all label weight that one source, and one analyst, may have. */
  maxShare: number;
}

export const LABEL_CAPS: LabelCaps = { maxWeight: 10, maxShare: 0.1 };

/**
 * Weight of each label, such that no source and no analyst moves the model alone: who floods the queue with labels
 * (or with alerts to be labelled) gets lighter ones. A single label always keeps at least a base row's weight.
 */
export function labelWeights(labels: readonly LabelledVector[], caps: LabelCaps = LABEL_CAPS): Float32Array {
  const budget = Math.max(caps.maxWeight, caps.maxShare * labels.length * caps.maxWeight);
  const count = (key: (l: LabelledVector) => string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const l of labels) counts.set(key(l), (counts.get(key(l)) ?? 0) + 1);
    return counts;
  };
  const sources = count((l) => l.source);
  const analysts = count((l) => l.analyst);
  // A team of two cannot keep each analyst below a tenth; the cap then gives everyone an equal part.
  const analystBudget = Math.max(budget, (labels.length * caps.maxWeight) / Math.max(1, analysts.size));
  return Float32Array.from(labels, (l) =>
    Math.min(caps.maxWeight, budget / sources.get(l.source)!, analystBudget / analysts.get(l.analyst)!),
  );
}
