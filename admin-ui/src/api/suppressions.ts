import { client } from './index';
import type { SuppressionRequest, SuppressionRow } from './types';

export const suppressionsApi = {
  list: async () => (await client.get<{ items: SuppressionRow[] }>('/suppressions')).items,
  add: (request: SuppressionRequest) => client.post<SuppressionRow>('/suppressions', { ...request }),
  remove: (id: string) => client.delete(`/suppressions/${id}`),
};
