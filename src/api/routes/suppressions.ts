import type { SuppressionRow, suppressionOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function suppressionHandlers({
  control,
}: {
  control: Control;
}): Pick<Handlers, keyof typeof suppressionOperations> {
  const { suppressions } = control;
  return {
    async listSuppressions() {
      return { items: await suppressions.list(), nextCursor: null };
    },
    async addSuppression(request) {
      const row = await suppressions.add(request.body, request.actor);
      await request.audit({ action: 'suppression.add', object: row.id, reason: row.comment, after: summary(row) });
      return row;
    },
    async removeSuppression(request) {
      const row = await suppressions.remove(request.params.id);
      await request.audit({ action: 'suppression.remove', object: row.id, before: summary(row) });
    },
  };
}

const summary = ({ id: _id, hits: _hits, lastHitMs: _last, ...rest }: SuppressionRow): object => rest;
