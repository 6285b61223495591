import type { settingsOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function settingsHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof settingsOperations> {
  const { settings } = control;
  return {
    async listSettings() {
      return { items: await settings.list(), nextCursor: null };
    },
    async patchSettings(request) {
      const { changes, reason } = request.body;
      const { before, after } = await settings.change(changes, request.actor);
      await request.audit({ action: 'settings.change', object: 'settings', reason, before, after });
      return { items: await settings.list(), nextCursor: null };
    },
    getSetup: async () => settings.setup(),
    async putSetup(request) {
      await settings.changeSetup(request.body, request.actor);
      await request.audit({ action: 'setup.change', object: 'setup', after: request.body });
      return settings.setup();
    },
  };
}
