import { at, client, list, type ListQuery } from './index';
import type { Capture, Job, JobAlert, JobBlock, Page, PacketDetail, PacketPage } from './types';

export interface JobRequest {
  captureId: string;
  signatures: boolean;
  behaviour: boolean;
  models: boolean;
  /** Text of a policy to compare with those in force. */
  candidate?: string;
}

export const capturesApi = {
  list: list<Capture>('/captures'),
  upload: (file: File, signal?: AbortSignal) => client.upload<Capture>('/captures', { name: file.name }, file, signal),
  remove: (id: string) => client.delete<undefined>(`/captures/${at(id)}`),
  jobs: list<Job>('/jobs'),
  addJob: (request: JobRequest) => client.post<Job>('/jobs', request),
  job: (id: string) => client.get<Job>(`/jobs/${at(id)}`),
  removeJob: (id: string) => client.delete<undefined>(`/jobs/${at(id)}`),
  jobAlerts: (id: string) => (query?: ListQuery, signal?: AbortSignal) =>
    client.get<Page<JobAlert>>(`/jobs/${at(id)}/alerts`, query, signal),
  jobBlocks: (id: string) => (query?: ListQuery, signal?: AbortSignal) =>
    client.get<Page<JobBlock>>(`/jobs/${at(id)}/blocks`, query, signal),
};

/** Where packets come from: those of an uploaded capture, or those a sensor kept around an alert. */
export type PacketSource = { kind: 'captures' | 'alerts'; id: string };

export const packetsApi = {
  list: (from: PacketSource, query: ListQuery, signal?: AbortSignal) =>
    client.get<PacketPage>(`/${from.kind}/${at(from.id)}/packets`, query, signal),
  get: (from: PacketSource, number: number) =>
    client.get<PacketDetail>(`/${from.kind}/${at(from.id)}/packets/${number}`),
  pcapPath: (from: PacketSource) =>
    from.kind === 'alerts' ? `/alerts/${at(from.id)}/pcap` : `/captures/${at(from.id)}/file`,
};
