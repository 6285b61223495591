import type { Decision } from '../../domain/decision.js';
import { cidrOverlaps, parseCidr } from '../../util/ip.js';
import type { PageRequest } from '../paging.js';
import { parseSearch } from '../search.js';

type Asked = Pick<PageRequest, 'q' | 'cursor'> & { state: 'active' | 'all' };

const isInForce = ({ enforcement, expiresMs }: Decision, nowMs: number): boolean =>
  (enforcement === 'pending' || enforcement === 'applied') && (expiresMs === 0 || expiresMs > nowMs);

/** Whether a search finds the decision; false where only the database could tell. */
function isFound({ value }: Decision, q: string): boolean {
  const own = parseCidr(value);
  return parseSearch(q).every((term) => {
    const asked = term.field === 'ip' && term.operator === ':' && !term.negated ? parseCidr(term.value) : undefined;
    return own !== undefined && asked !== undefined && cidrOverlaps(own, asked);
  });
}

/**
 * A page as it would be if the database took what waits: the kernel holds blocks that a full disk keeps out of the list,
 * and people must see and lift them.
 * @param stored the page as the database has it, newest first
 * @param waiting newest state of each decision that could not be written
 */
export function withWaiting(
  stored: readonly Decision[],
  waiting: ReadonlyMap<string, Decision>,
  page: Asked,
  nowMs: number,
): Decision[] {
  if (waiting.size === 0) return [...stored];
  const fits = (decision: Decision): boolean => page.state !== 'active' || isInForce(decision, nowMs);
  const newestMs = stored[0]?.createdMs ?? -Infinity;
  const known = new Set(stored.map(({ id }) => id));
  const added =
    page.cursor === undefined
      ? [...waiting.values()].filter((d) => !known.has(d.id) && d.createdMs >= newestMs && isFound(d, page.q ?? ''))
      : [];
  return [...added.reverse(), ...stored.map((d) => waiting.get(d.id) ?? d)].filter(fits);
}

/** What is in force as it would be if the database took what waits. @param stored newest first */
export function withAllWaiting(
  stored: readonly Decision[],
  waiting: ReadonlyMap<string, Decision>,
  nowMs: number,
): Decision[] {
  const all = [...waiting.values(), ...stored.filter(({ id }) => !waiting.has(id))];
  return all.filter((decision) => isInForce(decision, nowMs)).sort((a, b) => b.createdMs - a.createdMs);
}
