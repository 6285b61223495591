import type { siemOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

interface Parts {
  control: Pick<Control, 'siem'>;
}

/** These lists are short and kept in memory: one page holds them. */
const page = <T>(items: T[]) => ({ items, nextCursor: null });

export function siemHandlers({ control: { siem } }: Parts): Pick<Handlers, keyof typeof siemOperations> {
  return {
    getSiem: ({ params }) => Promise.resolve(siem.detail(params.name)),
    listSiemReceipts: async ({ params, query }) => page(await siem.receipts(params.name, query.limit)),
    listSiemGaps: async ({ params, query }) => page(await siem.gaps(params.name, query.limit)),
    listSiemDeadLetters: async ({ params, query }) => page(await siem.deadLetters(params.name, query.limit)),
    async replaySiem(request) {
      const { fromMs, toMs } = request.body;
      const replay = await siem.replay(request.params.name, fromMs, toMs);
      const after = { fromMs, toMs, events: replay.events };
      await request.audit({ action: 'siem.replay', object: request.params.name, after });
      return replay;
    },
    getSiemReplay: ({ params }) => Promise.resolve(siem.lastReplay(params.name)),
    getSiemDeliveries: ({ params }) => Promise.resolve(siem.deliveries(params.id)),
    async reloadSiem(request) {
      const after = await siem.reload();
      await request.audit({ action: 'siem.reload', object: 'siem', after });
      return after;
    },
  };
}
