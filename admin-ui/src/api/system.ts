import { at, client } from './index';
import type { BackupCheck, Backups, Ruleset } from './types';

export const systemApi = {
  ruleset: () => client.get<Ruleset>('/system/ruleset'),
  backups: () => client.get<Backups>('/backups'),
  addBackup: (captures: boolean) => client.post<Backups>('/backups', { captures }),
  checkBackup: (name: string) => client.post<BackupCheck>(`/backups/${at(name)}/check`),
  removeBackup: (name: string) => client.delete<undefined>(`/backups/${at(name)}`),
};
