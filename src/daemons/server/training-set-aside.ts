import type { SetAside, TrainingReport } from '../../contract/http.js';

/** One sentence for the SIEM about labels that were set aside; grave when nothing a person said was believed. */
export function describeSetAside(aside: SetAside): { label: string; isGrave: boolean } {
  const people = aside.byLabeller.map(({ labeller, labels, reasons, distrusted }) => {
    const why = Object.entries(reasons).map(([reason, n]) => `${n} ${reason}`);
    return `${labels} by ${labeller} (${why.join(', ')}${distrusted ? '; none of this account was used' : ''})`;
  });
  return {
    label: `Labels that other tiers or people contradict were set aside: ${people.join('; ')}.`,
    isGrave: hasDistrusted(aside),
  };
}

/** A run in which an account's labels were not believed ends with a person, whatever the policy of promotion. */
export function needsPerson(report: TrainingReport): boolean {
  const aside = report.data?.setAside;
  return aside !== undefined && hasDistrusted(aside);
}

function hasDistrusted(aside: SetAside): boolean {
  return aside.byLabeller.some((l) => l.distrusted);
}
