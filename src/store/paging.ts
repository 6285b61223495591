import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { AppError } from '../util/errors.js';
import { parseSearch, toConditions, type SearchFields } from './search.js';

export interface PageRequest {
  limit: number;
  cursor?: string | undefined;
  q?: string | undefined;
}
export interface PageResult<T> {
  items: T[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** Position after the last row of a page: its time column and its id. */
export interface Cursor {
  at: number;
  id: string;
}

export function formatCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify([cursor.at, cursor.id])).toString('base64url');
}

/** @throws AppError search.cursor */
export function parseCursor(text: string): Cursor {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(value) && Number.isFinite(value[0]) && typeof value[1] === 'string' && value.length === 2) {
      return { at: value[0] as number, id: value[1] };
    }
  } catch {
    // falls through to the error below
  }
  throw new AppError({
    kind: 'user',
    code: 'search.cursor',
    message: 'The cursor is not one that this server gave out.',
    fix: 'Start again without a cursor.',
  });
}

/**
 * Newest first by (time, id): stable under inserts, and every page costs the same. The redundant first clause
 * lets both databases seek in the index on the time column. Without `id` the time column itself is unique.
 */
export function applyPage<T extends ObjectLiteral>(
  builder: SelectQueryBuilder<T>,
  page: PageRequest,
  spec: { time: string; id?: string; fields: SearchFields },
): SelectQueryBuilder<T> {
  for (const { sql, parameters } of toConditions(parseSearch(page.q ?? ''), spec.fields)) {
    builder.andWhere(sql, parameters);
  }
  if (page.cursor !== undefined) {
    const { at, id } = parseCursor(page.cursor);
    const { time } = spec;
    const after =
      spec.id === undefined
        ? `${time} < :cursorAt`
        : `${time} <= :cursorAt AND (${time} < :cursorAt OR ${spec.id} < :cursorId)`;
    builder.andWhere(after, { cursorAt: at, cursorId: id });
  }
  builder.orderBy(spec.time, 'DESC');
  if (spec.id !== undefined) builder.addOrderBy(spec.id, 'DESC');
  return builder.limit(page.limit + 1);
}

/** Cuts the extra row that shows whether another page follows. */
export function toPage<R, T>(
  rows: R[],
  limit: number,
  cursorOf: (row: R) => Cursor,
  map: (row: R) => T,
): PageResult<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? formatCursor(cursorOf(last)) : null;
  return { items: items.map(map), nextCursor };
}
