import type { rulesetOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';

export function rulesetHandlers({ control }: { control: Control }): Pick<Handlers, keyof typeof rulesetOperations> {
  return { getRuleset: async () => control.system.ruleset() };
}
