import type { systemOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { LiveFeed } from '../live.js';
import type { Handlers } from '../request.js';
import type { ChangeFreshness } from './changes.js';

interface Parts {
  control: Control;
  live: LiveFeed;
  freshness: ChangeFreshness;
}

export function systemHandlers({ control, live, freshness }: Parts): Pick<Handlers, keyof typeof systemOperations> {
  async function changedStatus() {
    const status = await control.status();
    live.publish({ topic: 'status', data: status }, 'updated');
    return status;
  }

  return {
    getStatus: async () => control.status(),
    async setMode(request) {
      const { mode, confirmSecs } = request.body;
      const before = (await control.status()).mode;
      const pending = await control.setMode(mode, request.actor, confirmSecs);
      if (pending) freshness.made(pending.id, request.connection);
      const after = { mode, ...(confirmSecs === undefined ? {} : { confirmSecs }) };
      await request.audit({ action: 'mode.set', object: 'mode', before: { mode: before }, after });
      return changedStatus();
    },
    async pause(request) {
      const { secs } = request.body;
      await control.pause(secs, request.actor);
      await request.audit({ action: 'mode.pause', object: 'mode', after: { secs } });
      return changedStatus();
    },
    async resume(request) {
      await control.resume(request.actor);
      await request.audit({ action: 'mode.resume', object: 'mode' });
      return changedStatus();
    },
    async listSiem() {
      return { items: await control.siem.list(), nextCursor: null };
    },
    async testSiem(request) {
      const result = await control.siem.test(request.params.name, request.actor);
      await request.audit({ action: 'siem.test', object: request.params.name, after: { ok: result.ok } });
      return result;
    },
    doctor: async () => control.system.doctor(),
    async canary(request) {
      const result = await control.system.canary(request.actor);
      await request.audit({ action: 'system.canary', object: 'canary', after: { ok: result.ok } });
      return result;
    },
    async listSensors() {
      return { items: await control.sensors.list(), nextCursor: null };
    },
    async setCapture(request) {
      const { name } = request.params;
      const { running, interfaces } = request.body;
      const sensor = await control.sensors.capture(name, running, interfaces, request.actor);
      await request.audit({ action: 'sensor.capture', object: name, after: { running, interfaces } });
      return sensor;
    },
  };
}
