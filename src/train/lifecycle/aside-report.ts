import { setAsideSchema, type SetAside } from '../../contract/http/training.js';
import type { Sifted } from './contradictions.js';

export { setAsideSchema };

/** Examples of each person and reason: enough to look at, few enough for a report. */
const EXAMPLES = 5;

/** What the report of a run says of labels that were set aside. */
export function asideReport({ aside, distrusted }: Pick<Sifted, 'aside' | 'distrusted'>): SetAside {
  const people = [...new Set(aside.map((a) => a.vector.analyst))].sort();
  const taken = new Map<string, number>();
  return {
    labels: aside.length,
    byLabeller: people.map((labeller) => {
      const theirs = aside.filter((a) => a.vector.analyst === labeller);
      const reasons: Record<string, number> = {};
      for (const { reason } of theirs) reasons[reason] = (reasons[reason] ?? 0) + 1;
      return { labeller, labels: theirs.length, reasons, distrusted: distrusted.includes(labeller) };
    }),
    examples: aside.flatMap(({ vector: v, reason }) => {
      const key = `${v.analyst} ${reason}`;
      const n = (taken.get(key) ?? 0) + 1;
      taken.set(key, n);
      if (n > EXAMPLES) return [];
      const { alertId, source, alertLabel, label, analyst: labeller, witnesses } = v;
      return [{ alertId, source, alertLabel, label, labeller, reason, witnesses }];
    }),
  };
}
