import type { fleetOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function fleetHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof fleetOperations> {
  return { getFleet: () => control.fleet() };
}
