import { at, client, list, type ListQuery } from './index';
import type {
  Page,
  ResponseResult,
  SiemDeadLetter,
  SiemDeliveries,
  SiemDetail,
  SiemGap,
  SiemReceipt,
  SiemReload,
  SiemReplay,
} from './types';

export const siemApi = {
  get: (name: string) => client.get<SiemDetail>(`/siem/${at(name)}`),
  receipts: (name: string, query?: ListQuery) => client.get<Page<SiemReceipt>>(`/siem/${at(name)}/receipts`, query),
  gaps: (name: string, query?: ListQuery) => client.get<Page<SiemGap>>(`/siem/${at(name)}/gaps`, query),
  deadLetters: (name: string, query?: ListQuery) =>
    client.get<Page<SiemDeadLetter>>(`/siem/${at(name)}/dead-letters`, query),
  replay: (name: string, fromMs: number, toMs: number) =>
    client.post<SiemReplay>(`/siem/${at(name)}/replay`, { fromMs, toMs }),
  lastReplay: (name: string) => client.get<SiemReplay>(`/siem/${at(name)}/replay`),
  deliveries: (id: string) => client.get<SiemDeliveries>(`/siem-deliveries/${at(id)}`),
  reload: () => client.post<SiemReload>('/siem-reload'),
  responseRequests: list<ResponseResult>('/response-requests'),
};
