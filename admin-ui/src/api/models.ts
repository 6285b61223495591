import { at, client, list, type ListQuery } from './index';
import type {
  Explanation,
  LabelQueue,
  ModelDetail,
  ModelDrift,
  ModelInfo,
  ModelVersion,
  Page,
  TrainingReport,
  TrainingRun,
  TrainingStatus,
} from './types';

export const modelsApi = {
  list: list<ModelInfo>('/models'),
  get: (name: string) => client.get<ModelDetail>(`/models/${at(name)}`),
  version: (name: string, version: string) => client.get<ModelVersion>(`/models/${at(name)}/versions/${at(version)}`),
  promote: (name: string, version: string, reason: string) =>
    client.post<ModelDetail>(`/models/${at(name)}/promote`, { version, reason }),
  rollback: (name: string, reason: string) => client.post<ModelDetail>(`/models/${at(name)}/rollback`, { reason }),
  drift: () => client.get<Page<ModelDrift>>('/drift'),
  training: () => client.get<TrainingStatus>('/training'),
  runs: list<TrainingRun>('/training/runs'),
  run: (id: string) => client.get<TrainingReport>(`/training/runs/${at(id)}`),
  train: (model: string, algorithm?: string) => client.post<TrainingRun>('/training/runs', { model, algorithm }),
  cancel: (id: string) => client.post<TrainingRun>(`/training/runs/${at(id)}/cancel`),
  dismiss: (id: string, reason: string) => client.post<TrainingRun>(`/training/runs/${at(id)}/dismiss`, { reason }),
  explain: (alertId: string) => client.get<Explanation>(`/alerts/${at(alertId)}/explanation`),
  queue: (query: ListQuery) => client.get<LabelQueue>('/labels/queue', query),
  labelFlow: (id: string, verdict: 'benign' | 'attack', attackClass?: string) =>
    client.post<unknown>(`/labels/flows/${at(id)}`, { verdict, class: attackClass }),
};
