import type { ObjectLiteral, Repository, SelectQueryBuilder } from 'typeorm';
import { formatCursor, parseCursor, type Cursor, type PageRequest } from './paging.js';
import { parseSearch, toConditions, type Condition, type SearchFields, type Seek } from './search.js';

/** A term that so few rows match is looked up first, whatever else is asked for. */
const RARE_ROWS = 2000;
/** Equalities that are walked side by side. */
const MAX_STREAMS = 32;
/** Rows of a rare term whose other conditions are looked at together. */
const CHECKED_AT_ONCE = 250;
const FIRST_CHUNK = 1000;
const MAX_CHUNK = 20_000;
/** A page that still looks for rows after this time is given as it is, with a cursor to go on from. */
const BUDGET_MS = 25;

/** How a list is searched and in what order. */
export interface WalkSpec {
  alias: string;
  /** Property of the time column, e.g. `lastMs`; rows come newest first by it and by id. */
  time: string;
  fields: SearchFields;
  /** SQL columns (`a.label`) that have an index (column, time, id). */
  indexed: ReadonlySet<string>;
  /** The index entries of a free-text word; undefined when there are too many. */
  seekWord?: (word: string) => Promise<Seek | undefined>;
  /** Holds for every row of the list. */
  base?: Condition;
}

interface Stream {
  sql: string;
  parameters: Record<string, unknown>;
}
type Position = Cursor;

/** Newest first, by time and id. */
const newest = (a: Position, b: Position): number => b.at - a.at || (b.id < a.id ? -1 : Number(b.id > a.id));

/**
 * One page of the ids of a list. However many rows there are and whatever is searched for, it costs about the same:
 * - a term that few rows match is looked up in its index, and the other terms are checked on those rows;
 * - otherwise the index of an equality (or the time index) is walked newest first, in chunks that grow, until the page is
 *   full or the time is up. Then the page is short and its cursor says where to go on.
 */
export async function walkPage<T extends ObjectLiteral>(
  rows: Repository<T>,
  page: PageRequest,
  spec: WalkSpec,
): Promise<{ ids: string[]; nextCursor: string | null }> {
  const { alias, time } = spec;
  const terms = parseSearch(page.q ?? '');
  const timeTerms = terms.filter(({ field }) => field === 'after' || field === 'before');
  const others = terms.filter((term) => !timeTerms.includes(term));
  const conditions = toConditions(others, spec.fields).map(checkedOnly);
  const span = toConditions(timeTerms, spec.fields, 'span');
  if (spec.base) conditions.push(checkedOnly(spec.base));
  const seeks: { index: number; seek: Seek }[] = [];
  for (const [index, term] of others.entries()) {
    if (term.negated) continue;
    const seek = term.field === '' ? await spec.seekWord?.(term.value) : spec.fields[term.field]?.seek?.(term);
    if (seek?.columns.every((column) => spec.indexed.has(column))) seeks.push({ index, seek });
  }
  const start = page.cursor === undefined ? undefined : parseCursor(page.cursor);

  const query = (): SelectQueryBuilder<T> =>
    rows.createQueryBuilder(alias).select(`${alias}.id`, 'id').addSelect(`${alias}.${time}`, 'at');
  const newestFirst = (builder: SelectQueryBuilder<T>): SelectQueryBuilder<T> =>
    builder.orderBy(`${alias}.${time}`, 'DESC').addOrderBy(`${alias}.id`, 'DESC');
  function where(builder: SelectQueryBuilder<T>, all: readonly (Condition | Stream)[]): SelectQueryBuilder<T> {
    for (const { sql, parameters } of all) builder.andWhere(sql, parameters);
    return builder;
  }
  const after = (at: Cursor | undefined, name: string): Stream[] =>
    at === undefined
      ? []
      : [
          {
            sql: `${alias}.${time} <= :${name}At AND (${alias}.${time} < :${name}At OR ${alias}.id < :${name}Id)`,
            parameters: { [`${name}At`]: at.at, [`${name}Id`]: at.id },
          },
        ];
  const downTo = (at: Cursor | undefined): Stream[] =>
    at === undefined
      ? []
      : [
          {
            sql: `${alias}.${time} >= :downAt AND (${alias}.${time} > :downAt OR ${alias}.id >= :downId)`,
            parameters: { downAt: at.at, downId: at.id },
          },
        ];
  const read = async (builder: SelectQueryBuilder<T>): Promise<Position[]> =>
    (await builder.getRawMany<{ id: string; at: number | string }>()).map(({ id, at }) => ({ id, at: Number(at) }));

  /** What a term finds in its index, newest first; undefined when there is more than {@link RARE_ROWS}. */
  async function rareRowsOf(seek: Seek): Promise<Position[] | undefined> {
    const found = new Map<string, Position>();
    for (const column of seek.columns) {
      const stream = anyOf(column, seek);
      // Whether there are too many is found out without carrying them over.
      const beyond = where(rows.createQueryBuilder(alias).select('1', 'found'), [stream]).offset(RARE_ROWS).limit(1);
      if ((await beyond.getRawMany()).length > 0) return undefined;
      for (const position of await read(where(query(), [stream]))) found.set(position.id, position);
      if (found.size > RARE_ROWS) return undefined;
    }
    return [...found.values()].sort(newest);
  }

  /** Of rows that a term found, newest first, those of this page that meet the other conditions. */
  async function pageOf(found: readonly Position[], checks: readonly Condition[]): Promise<Position[]> {
    const left = start === undefined ? found : found.filter((position) => newest(start, position) < 0);
    if (checks.length === 0) return left.slice(0, page.limit + 1);
    const met: Position[] = [];
    for (let at = 0; at < left.length && met.length <= page.limit; at += CHECKED_AT_ONCE) {
      const rareIds = left.slice(at, at + CHECKED_AT_ONCE).map(({ id }) => id);
      met.push(
        ...(await read(where(query(), [{ sql: `${alias}.id IN (:...rareIds)`, parameters: { rareIds } }, ...checks]))),
      );
    }
    return met.sort(newest);
  }

  function finish(found: readonly Position[], more: Cursor | null): { ids: string[]; nextCursor: string | null } {
    const items = found.slice(0, page.limit);
    const last = items.at(-1);
    const cursor = found.length > page.limit && last ? last : more;
    return { ids: items.map(({ id }) => id), nextCursor: cursor === null ? null : formatCursor(cursor) };
  }

  let streams: Stream[] = [{ sql: '1 = 1', parameters: {} }];
  let covered = -1;
  let isChosen = false;
  for (const { index, seek } of seeks) {
    // Alone, an equality is read in order from its own index: rare or not makes no difference.
    const isAlone = conditions.length === 1 && seek.partial !== true && seek.range === undefined;
    const streamCount = countOf(seek);
    const rare = isAlone && streamCount > 0 && streamCount <= MAX_STREAMS ? undefined : await rareRowsOf(seek);
    if (rare) {
      const checks = conditions.filter((_condition, at) => seek.partial === true || at !== index);
      return finish(await pageOf(rare, [...checks, ...span]), null);
    }
    const equalities = seek.values === undefined ? [] : toStreams(seek);
    if (equalities.length > 0 && equalities.length <= MAX_STREAMS && !isChosen) {
      streams = equalities;
      if (seek.partial !== true) covered = index;
      isChosen = true;
    }
  }
  // What the streams already assure need not be checked again.
  const rest = conditions.filter((_condition, index) => index !== covered);

  const found: Position[] = [];
  const seen = new Set<string>();
  function take(more: readonly Position[]): void {
    for (const position of more) {
      if (seen.has(position.id)) continue;
      seen.add(position.id);
      found.push(position);
    }
    found.sort(newest);
  }

  if (rest.length === 0) {
    for (const stream of streams) {
      const builder = newestFirst(where(query(), [stream, ...span, ...after(start, 'cursor')]));
      take(await read(builder.limit(page.limit + 1)));
    }
    return finish(found, null);
  }

  const deadline = performance.now() + BUDGET_MS;
  let from: Cursor | undefined = start;
  for (let chunk = FIRST_CHUNK; ;) {
    const startedMs = performance.now();
    /** The newest of the places where the streams' chunks end: down to there every stream has been seen. */
    let boundary: Position | undefined;
    for (const stream of streams) {
      const builder = newestFirst(where(query(), [stream, ...span, ...after(from, 'cursor')]));
      const [end] = await read(builder.offset(chunk - 1).limit(1));
      if (end && (!boundary || end.at > boundary.at || (end.at === boundary.at && end.id > boundary.id)))
        boundary = end;
    }
    for (const stream of streams) {
      const parts = [stream, ...rest, ...span, ...after(from, 'cursor'), ...downTo(boundary)];
      take(await read(newestFirst(where(query(), parts)).limit(page.limit + 1)));
    }
    if (!boundary) return finish(found, null);
    const nowMs = performance.now();
    // The next chunk is as large as fits into the time that is left.
    const growth = Math.min(4, (deadline - nowMs) / (nowMs - startedMs));
    if (found.length > page.limit || growth < 0.25) return finish(found, boundary);
    chunk = Math.min(MAX_CHUNK, Math.ceil(chunk * growth));
    from = boundary;
  }
}

/**
 * The condition in a form for which no index is used. The order of the rows comes from the index that is walked; without
 * this, SQLite answers `a BETWEEN .. OR b BETWEEN ..` from the indexes of a and b, reading and sorting millions of rows.
 */
const checkedOnly = ({ sql, parameters }: Condition): Condition => ({ sql: `(${sql}) IS TRUE`, parameters });

const countOf = ({ columns, values = [] }: Seek): number => columns.length * values.length;

/** The condition that a column meets the seek, in a form that one look into the index answers. */
function anyOf(column: string, { values = [], range }: Seek): Stream {
  if (range) {
    const parameters = { seekFirst: range.first, seekLast: range.last };
    return { sql: `${column} BETWEEN :seekFirst AND :seekLast`, parameters };
  }
  return values.length === 0
    ? { sql: '1 = 0', parameters: {} }
    : { sql: `${column} IN (:...seekValues)`, parameters: { seekValues: values } };
}

/** One stream for each column and value, or each column and range. */
function toStreams({ columns, values, range }: Seek): Stream[] {
  return columns.flatMap((column): Stream[] => {
    if (range) {
      const sql = `${column} BETWEEN :seekFirst AND :seekLast`;
      return [{ sql, parameters: { seekFirst: range.first, seekLast: range.last } }];
    }
    return (values ?? []).map((value) => ({ sql: `${column} = :seekValue`, parameters: { seekValue: value } }));
  });
}

/** Rows of ids in the order of the ids. */
export function inOrderOf<R extends { id: string }>(ids: readonly string[], rows: readonly R[]): R[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id)).filter((row): row is R => row !== undefined);
}
