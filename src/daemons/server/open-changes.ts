import type { Store } from '../../store/index.js';
import type { Logger } from '../../util/logger.js';
import { changeText, createChangeBook, type ChangeBook } from './changes.js';
import type { DecisionBook } from './decisions.js';
import type { InlineBook } from './inline.js';
import type { Outlets } from './outlets.js';
import type { Settings } from './parts.js';
import type { PolicyBook } from './policies.js';
import { undoChange } from './policy-control.js';

interface ChangesDeps {
  store: Store;
  policies: PolicyBook;
  settings: Settings;
  book: DecisionBook;
  inline: InlineBook;
  outlets: Outlets;
  /** Name in the fleet, whose servers share the store; undefined of a server that stands alone. */
  owner: string | undefined;
  log: Logger;
}

/** Commit-confirm, with everybody told of what is pending, kept and taken back. */
export async function openChanges({
  store,
  policies,
  settings,
  book,
  inline,
  outlets,
  owner,
  log,
}: ChangesDeps): Promise<ChangeBook> {
  const changes = createChangeBook({
    settings: store.settings,
    ...(owner === undefined ? {} : { owner }),
    undo: (change, actor) => undoChange(change, actor, { policies, settings, book, inline }),
    told(change, what, lifted, actor) {
      const text = `${change.summary} ${changeText(what, lifted, actor)}`;
      log.warn({ change: change.id, what, actor }, text);
      outlets.health('changes', what === 'reverted' ? 'warning' : 'ok', text);
      if (actor === 'timer') {
        const entry = { actor, address: '', outcome: 'success', action: 'change.revert' } as const;
        void store.audit
          .append({ ...entry, object: change.object, before: change, after: { lifted } })
          .catch((error: unknown) => {
            log.error({ err: error }, 'A change that was taken back was not audited.');
          });
      }
      outlets.publishStatus();
    },
    now: Date.now,
    log,
  });
  await changes.start();
  return changes;
}
