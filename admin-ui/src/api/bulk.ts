import { client } from './index';
import type { BulkRelease, ImportRequest, ImportResult } from './types';

export const bulkApi = {
  release: (ids: string[], reason: string) => client.post<BulkRelease>('/decisions/release', { ids, reason }),
  import: (request: ImportRequest) => client.post<ImportResult>('/decisions/import', request),
};
