import type { backupOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function backupHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof backupOperations> {
  const { backups } = control;
  return {
    listBackups: () => backups.list(),
    async addBackup(request) {
      const { captures } = request.body;
      const after = await backups.start(captures);
      await request.audit({ action: 'backup.start', object: 'backup', after: { captures } });
      return after;
    },
    async downloadBackup(request) {
      const file = await backups.file(request.params.name);
      await request.audit({ action: 'backup.download', object: request.params.name });
      return file;
    },
    checkBackup: ({ params }) => backups.check(params.name),
    async removeBackup(request) {
      await backups.remove(request.params.name);
      await request.audit({ action: 'backup.remove', object: request.params.name });
    },
  };
}
