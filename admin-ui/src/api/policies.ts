import { at, client, list } from './index';
import type {
  BacktestJob,
  PolicyDetail,
  PolicyDiff,
  PolicyExplanation,
  PolicySummary,
  PolicyValidation,
  Verdict,
} from './types';

/** What is compared: a version (the one in force without it) with another, or with a text that is not saved. */
export type DiffRequest = { from?: number } & ({ to: number } | { yaml: string });

export const policiesApi = {
  list: list<PolicySummary>('/policies'),
  get: (name: string) => client.get<PolicyDetail>(`/policies/${at(name)}`),
  validate: (yaml: string) => client.post<PolicyValidation>('/policies/validate', { yaml }),
  put: (name: string, change: { yaml: string; comment: string; confirmSecs?: number; basedOn: number }) =>
    client.put<PolicyDetail>(`/policies/${at(name)}`, change),
  rollback: (name: string, change: { version: number; comment: string; confirmSecs?: number; basedOn: number }) =>
    client.post<PolicyDetail>(`/policies/${at(name)}/rollback`, change),
  remove: (name: string, comment: string) => client.delete<undefined>(`/policies/${at(name)}`, { comment }),
  diff: (name: string, request: DiffRequest) => client.post<PolicyDiff>(`/policies/${at(name)}/diff`, request),
  test: (name: string, alert: string) => client.post<Verdict>(`/policies/${at(name)}/test`, { alert }),
  explain: (alert: string, yaml?: string) => client.post<PolicyExplanation>('/policies/explain', { alert, yaml }),
  schema: () => client.get<Record<string, unknown>>('/policy-schema'),
  startBacktest: (sinceSecs: number, candidates: string[]) =>
    client.post<BacktestJob>('/backtests', { sinceSecs, candidates }),
  backtest: (id: string) => client.get<BacktestJob>(`/backtests/${at(id)}`),
  cancelBacktest: (id: string) => client.delete<BacktestJob>(`/backtests/${at(id)}`),
};
