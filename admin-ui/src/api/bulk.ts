import { inParts } from './in-parts';
import { client } from './index';
import type { BulkRelease, ImportRequest, ImportResult } from './types';

export const bulkApi = {
  /** @returns the ids that were lifted. */
  async release(ids: string[], reason: string): Promise<string[]> {
    const send = (part: string[]) => client.post<BulkRelease>('/decisions/release', { ids: part, reason });
    return (await inParts(ids, 500, send)).flatMap(({ released }) => released);
  },
  import: (request: ImportRequest) => client.post<ImportResult>('/decisions/import', request),
};
