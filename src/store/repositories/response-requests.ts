import type { Database } from '../data-source.js';
import type { ResponseRequestRow } from '../entities/response-request.js';
import { isDuplicate } from '../errors.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import { textField, timeField, type SearchFields } from '../search.js';

export type { ResponseRequestRow } from '../entities/response-request.js';

const FIELDS: SearchFields = {
  actor: textField('r.actor'),
  source: textField('r.source'),
  after: timeField('r.atMs', '>='),
  before: timeField('r.atMs', '<'),
  '': textField('r.source'),
};

export interface ResponseRequestRepository {
  /** Takes the key for this request. @returns undefined when it is ours, else the request that has it. */
  begin(row: ResponseRequestRow): Promise<ResponseRequestRow | undefined>;
  /** Takes over a request that was begun at `atMs` and never answered. @returns false when another was faster. */
  takeOver(keyHash: string, atMs: number, nowMs: number): Promise<boolean>;
  finish(keyHash: string, answer: string): Promise<void>;
  /** Gives the key back: the request failed as a whole. */
  abandon(keyHash: string): Promise<void>;
  /** Answered requests, newest first. */
  list(page: PageRequest): Promise<PageResult<ResponseRequestRow>>;
}

export function createResponseRequestRepository(db: Database): ResponseRequestRepository {
  const rows = db.manager.getRepository(db.entities.responseRequest);
  return {
    async begin(row) {
      try {
        await db.write((manager) => manager.insert(db.entities.responseRequest, row));
        return undefined;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // Gone again between the two statements: it was abandoned, and the caller may try again.
        return (await rows.findOneBy({ keyHash: row.keyHash })) ?? { ...row, answer: '' };
      }
    },
    async takeOver(keyHash, atMs, nowMs) {
      const open = { keyHash, atMs, answer: '' };
      const result = await db.write((manager) => manager.update(db.entities.responseRequest, open, { atMs: nowMs }));
      return result.affected === 1;
    },
    async finish(keyHash, answer) {
      await db.write((manager) => manager.update(db.entities.responseRequest, { keyHash }, { answer }));
    },
    async abandon(keyHash) {
      await db.write((manager) => manager.delete(db.entities.responseRequest, { keyHash, answer: '' }));
    },
    async list(page) {
      const builder = rows.createQueryBuilder('r').where("r.answer <> ''");
      const found = await applyPage(builder, page, { time: 'r.atMs', id: 'r.id', fields: FIELDS }).getMany();
      return toPage(
        found,
        page.limit,
        (row) => ({ at: row.atMs, id: row.id }),
        (row) => row,
      );
    },
  };
}
