import { at, client, list } from './index';
import type { AddressFacts, BaselineDetail, Host, HostGraph } from './types';

export const hostsApi = {
  list: list<Host>('/hosts'),
  facts: (address: string) => client.get<AddressFacts>(`/addresses/${at(address)}`),
  get: (address: string, minutes: number) => client.get<HostGraph>(`/hosts/${at(address)}`, { minutes }),
  baseline: (address: string) => client.get<BaselineDetail>(`/baselines/${at(address)}`),
  forgetBaseline: (address: string) => client.delete<undefined>(`/baselines/${at(address)}`),
};
