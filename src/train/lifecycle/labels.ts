/** What the weight of a label depends on. */
export interface WeighedLabel {
  /** `benign` for a false positive, else the class. */
  label: string;
  /** Address held responsible: the one a label speaks about. */
  source: string;
  analyst: string;
}

export interface LabelCaps {
  /** Weight of one label against one row of base data. */
  maxWeight: number;
  /** Largest share of a class's weight that the labels about one source may have. */
  maxShare: number;
  /** Largest share of a class's weight that the labels of one person may have. */
  maxLabellerShare: number;
}

export const LABEL_CAPS: LabelCaps = { maxWeight: 10, maxShare: 0.1, maxLabellerShare: 0.25 };

/**
 * Weight of each label, such that no source and no person makes up more than a share of what the model learns of a class:
 * who floods the queue with labels (or with alerts to be labelled) gets lighter ones.
 * @param baseRows rows of each class that are there without labels: base data, and sampled flows as benign ones. Of a class
 *   that has none, people and sources share the labels' own weight.
 */
export function labelWeights(
  labels: readonly WeighedLabel[],
  baseRows: ReadonlyMap<string, number>,
  caps: LabelCaps = LABEL_CAPS,
): Float32Array {
  const count = (key: (l: WeighedLabel) => string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const l of labels) counts.set(key(l), (counts.get(key(l)) ?? 0) + 1);
    return counts;
  };
  const source = (l: WeighedLabel): string => `${l.label} ${l.source}`;
  const labeller = (l: WeighedLabel): string => `${l.label} ${l.analyst}`;
  const [classes, sources, labellers] = [count((l) => l.label), count(source), count(labeller)];
  const people = new Map<string, Set<string>>();
  for (const l of labels) people.set(l.label, (people.get(l.label) ?? new Set()).add(l.analyst));
  const limits = new Map(
    [...classes].map(([label, n]) => {
      const base = baseRows.get(label) ?? 0;
      return [label, base > 0 ? ofBase(base, caps) : ofLabels(n * caps.maxWeight, people.get(label)!.size, caps)];
    }),
  );
  return Float32Array.from(labels, (l) => {
    const limit = limits.get(l.label)!;
    return Math.min(
      caps.maxWeight,
      limit.source / sources.get(source(l))!,
      limit.labeller / labellers.get(labeller(l))!,
    );
  });
}

interface Limits {
  source: number;
  labeller: number;
}

/** w / (base + w) is the share s at w = base * s / (1 - s). A single label keeps at least a base row's weight. */
function ofBase(base: number, caps: LabelCaps): Limits {
  const limit = (share: number): number => (share >= 1 ? Infinity : Math.max(1, (base * share) / (1 - share)));
  return { source: limit(caps.maxShare), labeller: limit(caps.maxLabellerShare) };
}

/** A team of two cannot keep each below a tenth: the cap then gives everyone an equal part. */
function ofLabels(total: number, people: number, caps: LabelCaps): Limits {
  const source = Math.max(caps.maxWeight, caps.maxShare * total);
  return { source, labeller: Math.max(source, total / people) };
}
