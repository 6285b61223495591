import { createHash } from 'node:crypto';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { AuditRow } from '../entities/account.js';
import { isDuplicate } from '../errors.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import { freeTextField, textField, timeField, wordField, type SearchFields } from '../search.js';

export interface AuditInput {
  /** User, `token:<name>`, or `cli:<user>`. */
  actor: string;
  /** Where the request came from; empty for the command line. */
  address: string;
  /** Operation, e.g. `decision.release`. */
  action: string;
  /** What it was done to. */
  object: string;
  outcome: 'success' | 'failure';
  reason?: string;
  /** Never secrets: they would stay for ever. */
  before?: unknown;
  after?: unknown;
}

export interface AuditRecord {
  seq: number;
  atMs: number;
  actor: string;
  address: string;
  action: string;
  object: string;
  outcome: 'success' | 'failure';
  reason: string;
  before: unknown;
  after: unknown;
  hash: string;
}

export interface AuditCheck {
  ok: boolean;
  checked: number;
  brokenAtSeq: number | null;
}

export interface AuditRepository {
  /** Appends; there is no way to change or remove an entry. */
  append(input: AuditInput, nowMs?: number): Promise<AuditRecord>;
  list(page: PageRequest): Promise<PageResult<AuditRecord>>;
  /** Recomputes the chain from the first entry. */
  check(): Promise<AuditCheck>;
}

const FIELDS: SearchFields = {
  actor: textField('x.actor'),
  action: textField('x.action'),
  object: textField('x.object'),
  ip: textField('x.address'),
  after: timeField('x.atMs', '>='),
  before: timeField('x.atMs', '<'),
  is: wordField({ success: "x.outcome = 'success'", failure: "x.outcome = 'failure'" }),
  '': freeTextField('LOWER(x.object)'),
};

const GENESIS = '0'.repeat(64);
const APPEND_TRIES = 10;
const CHECK_CHUNK = 1000;

/** SHA-256 over the previous hash and every field, in a form in which no two entries are alike. */
export function auditHash(row: Omit<AuditRow, 'hash'>): string {
  const { previousHash, seq, atMs, actor, address, action, object, outcome, reason, before, after } = row;
  const fields = [previousHash, seq, atMs, actor, address, action, object, outcome, reason, before, after];
  return createHash('sha256').update(JSON.stringify(fields)).digest('hex');
}

const toText = (value: unknown): string => (value === undefined || value === null ? '' : JSON.stringify(value));
const fromText = (text: string): unknown => (text === '' ? null : (JSON.parse(text) as unknown));

function fromRow(row: AuditRow): AuditRecord {
  const { previousHash: _previous, before, after, outcome, ...rest } = row;
  return {
    ...rest,
    outcome: outcome === 'failure' ? 'failure' : 'success',
    before: fromText(before),
    after: fromText(after),
  };
}

export function createAuditRepository(db: Database): AuditRepository {
  const rows = db.manager.getRepository(db.entities.audit);

  function nextRow(input: AuditInput, nowMs: number, last: AuditRow | undefined): AuditRow {
    const row = {
      seq: (last?.seq ?? 0) + 1,
      atMs: nowMs,
      actor: clip(input.actor, 64),
      address: clip(input.address, 45),
      action: clip(input.action, 64),
      object: clip(input.object, 255),
      outcome: input.outcome,
      reason: clip(input.reason ?? '', 1000),
      before: toText(input.before),
      after: toText(input.after),
      previousHash: last?.hash ?? GENESIS,
    };
    return { ...row, hash: auditHash(row) };
  }

  return {
    async append(input, nowMs = Date.now()) {
      // Another process (the command line) may append at the same time: the primary key decides, the loser tries again.
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.write(async (manager) => {
            const [last] = await manager.find(db.entities.audit, { order: { seq: 'DESC' }, take: 1 });
            const row = nextRow(input, nowMs, last);
            await manager.insert(db.entities.audit, row);
            return fromRow(row);
          });
        } catch (error) {
          if (attempt >= APPEND_TRIES || !isDuplicate(error)) throw error;
        }
      }
    },
    async list(page) {
      const spec = { time: 'x.seq', fields: FIELDS };
      const found = await applyPage(rows.createQueryBuilder('x'), page, spec).getMany();
      return toPage(found, page.limit, (row) => ({ at: row.seq, id: '' }), fromRow);
    },
    async check() {
      let previous = GENESIS;
      let checked = 0;
      for (;;) {
        const chunk = await rows.find({ order: { seq: 'ASC' }, skip: checked, take: CHECK_CHUNK });
        for (const row of chunk) {
          checked++;
          const intact = row.seq === checked && row.previousHash === previous && auditHash(row) === row.hash;
          if (!intact) return { ok: false, checked, brokenAtSeq: row.seq };
          previous = row.hash;
        }
        if (chunk.length < CHECK_CHUNK) return { ok: true, checked, brokenAtSeq: null };
      }
    },
  };
}
