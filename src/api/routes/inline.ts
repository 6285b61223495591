import type { inlineOperations } from '../../contract/http.js';
import type { Control } from '../deps.js';
import type { Handlers } from '../request.js';
import { pageOfMemory } from './captures.js';
import type { ChangeFreshness } from './changes.js';

interface Parts {
  control: Control;
  freshness: ChangeFreshness;
}

export function inlineHandlers({ control, freshness }: Parts): Pick<Handlers, keyof typeof inlineOperations> {
  const { inline } = control;
  return {
    getInline: () => inline.status(),
    async setInlineMode(request) {
      const { mode, confirmSecs } = request.body;
      const before = inline.status().mode;
      const pending = await inline.setMode(mode, request.actor, confirmSecs);
      if (pending) freshness.made(pending.id, request.connection);
      await request.audit({ action: 'inline.mode', object: 'inline', before: { mode: before }, after: { mode } });
      return inline.status();
    },
    listInlineDrops: ({ query }) => pageOfMemory(inline.drops(), query),
  };
}
