import { at, client } from './index';
import type { Backups, Ruleset } from './types';

export const systemApi = {
  ruleset: () => client.get<Ruleset>('/system/ruleset'),
  backups: () => client.get<Backups>('/backups'),
  addBackup: (captures: boolean) => client.post<Backups>('/backups', { captures }),
  removeBackup: (name: string) => client.delete<undefined>(`/backups/${at(name)}`),
};
