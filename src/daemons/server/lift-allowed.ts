import type { AllowEntry } from '../../domain/decision.js';
import { cidrContains, parseCidr } from '../../util/ip.js';
import type { DecisionBook } from './decisions.js';

/** Lifts what an allow entry covers whole; inside a wider block the kernel's own exemption counts. @param entries names resolved. */
export function liftAllowed(book: DecisionBook, entries: readonly AllowEntry[], nowMs: number): void {
  const live = entries.flatMap((entry) => {
    const network = parseCidr(entry.value);
    return network && (entry.expiresMs === 0 || entry.expiresMs > nowMs) ? [{ entry, network }] : [];
  });
  if (live.length === 0) return;
  for (const decision of book.active()) {
    const about = parseCidr(decision.value);
    const covering =
      about && live.find(({ network }) => cidrContains(network, about) && network.prefix <= about.prefix);
    if (covering) book.release(decision.id, covering.entry.owner, `allowed: ${covering.entry.comment}`, true);
  }
}
