import type { baselineOperations } from '../../contract/http.js';
import { canonicalAddress } from '../../util/ip.js';
import type { Control } from '../deps.js';
import { notFound } from '../errors.js';
import type { Handlers } from '../request.js';

export function baselineHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof baselineOperations> {
  const canonical = (host: string): string => canonicalAddress(host) ?? host;

  return {
    listBaselines: ({ query }) => control.baselines.list(query),
    async getBaseline({ params }) {
      const found = await control.baselines.get(canonical(params.host));
      if (!found) throw notFound('baseline');
      return found;
    },
    async forgetBaseline(request) {
      const host = canonical(request.params.host);
      if (!(await control.baselines.forget(host, request.actor))) throw notFound('baseline');
      await request.audit({ action: 'baseline.forget', object: host });
      return undefined;
    },
  };
}
