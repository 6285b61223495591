import type { backtestOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function backtestHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof backtestOperations> {
  return {
    async startBacktest(request) {
      const job = await control.backtests.start(request.body, request.actor);
      const after = { sinceSecs: job.sinceSecs, candidates: job.candidates };
      await request.audit({ action: 'backtest.start', object: job.id, after });
      return job;
    },
    async listBacktests() {
      const jobs = await control.backtests.list();
      return { items: jobs.map((job) => ({ ...job, result: null })), nextCursor: null };
    },
    getBacktest: async ({ params }) => control.backtests.get(params.id),
    cancelBacktest: async ({ params }) => control.backtests.cancel(params.id),
  };
}
