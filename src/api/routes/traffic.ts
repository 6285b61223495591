import type { trafficOperations } from '../../contract/http.js';
import type { Store } from '../../store/index.js';
import type { Handlers } from '../request.js';

interface Parts {
  store: Store;
  now(): number;
}

export function trafficHandlers({ store, now }: Parts): Pick<Handlers, keyof typeof trafficOperations> {
  return {
    listFlows: ({ query }) => store.flows.list(query),
    statsOverview: ({ query }) => store.statistics.overview(query.minutes, now()),
  };
}
