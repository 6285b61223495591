import { client, list, type ListQuery } from './index';
import type { RuleCheck, RuleDetail, RuleFile, RuleList, RuleSources, RuleUpdateReport } from './types';

export interface RuleQuery extends ListQuery {
  state?: string | undefined;
  file?: string | undefined;
  sort?: string | undefined;
}

export const rulesApi = {
  list: (query: RuleQuery, signal?: AbortSignal) => client.get<RuleList>('/rules', { ...query }, signal),
  get: (gid: number, sid: number) => client.get<RuleDetail>(`/rules/${gid}/${sid}`),
  setState: (gid: number, sid: number, enabled: boolean, comment?: string) =>
    client.patch<RuleDetail>(`/rules/${gid}/${sid}`, { enabled, comment }),
  files: list<RuleFile>('/rules/files'),
  sources: () => client.get<RuleSources>('/rules/sources'),
  lastUpdate: () => client.get<{ report: RuleUpdateReport | null }>('/rules/update'),
  update: (sources?: string[]) => client.post<RuleUpdateReport>('/rules/update', { sources }),
  reload: () => client.post<{ sensors: number }>('/rules/reload'),
  check: (text: string) => client.post<RuleCheck>('/rules/check', { text }),
};
