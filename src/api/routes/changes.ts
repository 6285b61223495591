import type { changeOperations } from '../../contract/http.js';
import type { RequestConnection } from '../connections.js';
import type { Control } from '../deps.js';
import { userError } from '../errors.js';
import type { Handlers } from '../request.js';

/** Which connections existed when a change was made. In memory only: after a restart every connection is a new one. */
export interface ChangeFreshness {
  made(changeId: string, connection: RequestConnection): void;
  /** @throws AppError change.same_connection */
  check(changeId: string, connection: RequestConnection): void;
}

const REMEMBERED = 1000;

export function createChangeFreshness(): ChangeFreshness {
  const newestAt = new Map<string, number>();
  return {
    made(changeId, connection) {
      const oldest = newestAt.keys().next().value;
      if (newestAt.size >= REMEMBERED && oldest !== undefined) newestAt.delete(oldest);
      newestAt.set(changeId, connection.newest);
      connection.retireAll();
    },
    check(changeId, connection) {
      if (connection.number > (newestAt.get(changeId) ?? 0)) return;
      connection.closeAfter();
      throw userError({
        code: 'change.same_connection',
        message: 'This connection is older than the change: it does not prove that one can still connect.',
        fix: 'Confirm again; the old connection has been closed, so that the next request opens a new one.',
      });
    },
  };
}

interface Parts {
  control: Control;
  freshness: ChangeFreshness;
}

export function changeHandlers({ control, freshness }: Parts): Pick<Handlers, keyof typeof changeOperations> {
  return {
    async listChanges() {
      return { items: await control.changes.list(), nextCursor: null };
    },
    async confirmChange(request) {
      const { id } = request.params;
      freshness.check(id, request.connection);
      const result = await control.changes.confirm(id, request.actor);
      await request.audit({ action: 'change.confirm', object: result.change.object, after: result.change });
      return result;
    },
    async revertChange(request) {
      const result = await control.changes.revert(request.params.id, request.actor);
      const { object } = result.change;
      await request.audit({ action: 'change.revert', object, before: result.change, after: { lifted: result.lifted } });
      return result;
    },
  };
}
