import type { SuppressionRow } from '@/api/types';
import { m } from '@/messages';

/** The fields that a suppression names, as words. */
export function describeSuppression(
  row: Pick<SuppressionRow, 'offender' | 'victim' | 'label' | 'gid' | 'signatureId'>,
): string {
  const rule =
    row.signatureId === null
      ? null
      : `${m.suppressions.rule} ${row.gid === null || row.gid === 1 ? '' : `${row.gid}:`}${row.signatureId}`;
  return [
    rule,
    row.label && `${m.suppressions.label} ${row.label}`,
    row.offender && `${m.suppressions.offender} ${row.offender}`,
    row.victim && `${m.suppressions.victim} ${row.victim}`,
  ]
    .filter((part) => part !== null && part !== '')
    .join(' · ');
}
