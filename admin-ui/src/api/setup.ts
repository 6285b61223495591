import { at, client } from './index';
import type { Page, Setting, Setup, SetupChange } from './types';

export const setupApi = {
  get: () => client.get<Setup>('/setup'),
  put: (change: SetupChange) => client.put<Setup>('/setup', change),
  settings: () => client.get<Page<Setting>>('/settings'),
  change: (changes: Record<string, unknown>, reason: string) =>
    client.patch<Page<Setting>>('/settings', { changes, reason }),
  inject: (sensor: string, sample: string) =>
    client.post<{ packets: number; offender: string }>(`/sensors/${at(sensor)}/inject`, { sample }),
};
