import { client } from './index';
import type { IntelMatch, IntelSummary } from './types';

export const intelApi = {
  feeds: () => client.get<IntelSummary>('/intel/feeds'),
  refresh: (feeds?: string[]) => client.post<IntelSummary>('/intel/refresh', { feeds }),
  lookup: (value: string) => client.get<{ matches: IntelMatch[] }>('/intel/lookup', { value }),
};
