import type { intelOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function intelHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof intelOperations> {
  const { intel } = control;
  return {
    listIntelFeeds: () => intel.summary(),
    async refreshIntel(request) {
      const summary = await intel.refresh(request.body.feeds);
      await request.audit({
        action: 'intel.refresh',
        object: request.body.feeds?.join(', ') ?? 'all feeds',
        outcome: summary.items.some((f) => f.state === 'failed') ? 'failure' : 'success',
        after: { indicators: summary.indicators },
      });
      return summary;
    },
    async lookupIntel({ query }) {
      return { matches: await intel.lookup(query.value) };
    },
  };
}
