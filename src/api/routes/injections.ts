import type { injectionOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function injectionHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof injectionOperations> {
  return {
    async injectPackets(request) {
      const { name } = request.params;
      const result = await control.sensors.inject(name, request.body, request.actor);
      const { sample } = request.body;
      await request.audit({ action: 'sensor.inject', object: name, after: { ...result, sample } });
      return result;
    },
  };
}
