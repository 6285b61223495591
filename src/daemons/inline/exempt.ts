import type { ProtectedEntry } from '../../domain/decision.js';

/**
 * Addresses whose packets never reach the queue. Our own addresses are an end of everything that the box serves itself, so
 * they exempt nothing; the people, gateways and servers at the other end do.
 */
export function exemptAddresses(entries: Iterable<ProtectedEntry>): string[] {
  const out: string[] = [];
  for (const { value, reason } of entries) if (reason !== 'own_address' && reason !== 'loopback') out.push(value);
  return out;
}
