import type { Core } from './core.js';
import type { DecisionBook } from './decisions.js';
import type { ExemptBook } from './exempt.js';
import type { Ledger } from './ledger.js';

const BLOCKING_ROLES = ['block', 'feed', 'slow', 'out'] as const;

/** What has become protected is not blocked any more, in the list either. */
export function releaseProtected(core: Core, book: DecisionBook, exempt: ExemptBook): void {
  for (const { network, entry } of exempt.protected) {
    if (network.prefix !== (network.version === 4 ? 32 : 128)) continue;
    for (const id of blocksOf(core.ledger, entry.value)) {
      core.emit.incident({
        severity: 'high',
        code: 'enforce.protected_was_blocked',
        message: `The block of ${entry.value} is lifted: it is protected now (${entry.reason}: ${entry.detail}).`,
        details: { value: entry.value, decisionId: id },
      });
      book.release(id, `protected: ${entry.reason}`);
    }
  }
}

/** Decisions whose element is just this address. */
function blocksOf(ledger: Ledger, address: string): string[] {
  const elements = BLOCKING_ROLES.flatMap((role) => [`${role}4_32 ${address}`, `${role}6_128 ${address}`]);
  return elements.flatMap((id) => [...ledger.holdersOf(id)]);
}
