import type { Decision } from '../../domain/decision.js';
import { cidrOverlaps, parseCidr, type Cidr } from '../../util/ip.js';
import { parseCursor, toPage, type PageRequest, type PageResult } from '../paging.js';
import { parseSearch } from '../search.js';

type Asked = Pick<PageRequest, 'q' | 'cursor'> & { state: 'active' | 'all' };

const isInForce = ({ enforcement, expiresMs }: Decision, nowMs: number): boolean =>
  (enforcement === 'pending' || enforcement === 'applied') && (expiresMs === 0 || expiresMs > nowMs);

/** The networks that a search asks for; undefined where only the database could tell what it finds. */
function networksOf(q: string): Cidr[] | undefined {
  const asked = parseSearch(q).map(({ field, operator, negated, value }) =>
    field === 'ip' && operator === ':' && !negated ? parseCidr(value) : undefined,
  );
  return asked.includes(undefined) ? undefined : asked.filter((network) => network !== undefined);
}

function isIn({ value }: Decision, networks: readonly Cidr[]): boolean {
  const own = parseCidr(value);
  return own !== undefined && networks.every((network) => cidrOverlaps(own, network));
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
  const asked = page.cursor === undefined ? networksOf(page.q ?? '') : undefined;
  const added =
    asked === undefined
      ? []
      : [...waiting.values()].filter((d) => !known.has(d.id) && d.createdMs >= newestMs && isIn(d, asked));
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

/**
 * A page of what is in force from memory, while the database does not answer: people must see and lift it.
 * @returns undefined for a search that only the database can answer
 * @throws AppError search.*
 */
export function pageOfActive(active: readonly Decision[], page: PageRequest): PageResult<Decision> | undefined {
  const asked = networksOf(page.q ?? '');
  if (asked === undefined) return undefined;
  const from = page.cursor === undefined ? undefined : parseCursor(page.cursor);
  const isAfter = ({ createdMs, id }: Decision): boolean =>
    from === undefined || createdMs < from.at || (createdMs === from.at && id < from.id);
  const rows = active
    .filter((decision) => isAfter(decision) && isIn(decision, asked))
    .sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? 1 : -1))
    .slice(0, page.limit + 1);
  return toPage(
    rows,
    page.limit,
    ({ createdMs, id }) => ({ at: createdMs, id }),
    (row) => row,
  );
}
