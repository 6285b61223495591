import type { SuppressionsControl } from '../../../src/api/index.js';
import type { SuppressionRow } from '../../../src/contract/http.js';
import { AppError } from '../../../src/util/errors.js';
import { uuid7 } from '../../../src/util/uuid7.js';

/** Suppressions for the API's tests, kept in memory. */
export function fakeSuppressions(): SuppressionsControl {
  let rows: SuppressionRow[] = [];
  return {
    list: () => rows,
    add({ offender = null, victim = null, label = null, gid = null, signatureId = null, comment }, actor) {
      const row: SuppressionRow = {
        id: uuid7(), origin: 'console', offender, victim, label, gid, signatureId, untilMs: 0, comment, owner: actor.name,
        createdMs: 1, hits: 0, lastHitMs: 0,
      }; // prettier-ignore
      rows = [row, ...rows].slice(0, 100);
      return row;
    },
    remove(id) {
      const row = rows.find((r) => r.id === id);
      if (!row) throw new AppError({ kind: 'user', code: 'suppression.not_found', message: 'No such suppression.' });
      rows = rows.filter((r) => r !== row);
      return row;
    },
  };
}
