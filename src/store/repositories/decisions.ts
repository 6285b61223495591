import { In, MoreThanOrEqual } from 'typeorm';
import type { Decision, Enforcement } from '../../domain/decision.js';
import { uuid7 } from '../../util/uuid7.js';
import { addressKeyRange, coveringKeys } from '../address-key.js';
import { parseCidr } from '../../util/ip.js';
import { bulkInsert } from '../bulk-insert.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { DecisionRow } from '../entities/decision.js';
import { inOrderOf, walkPage, type WalkSpec } from '../page-walk.js';
import type { PageRequest, PageResult } from '../paging.js';
import { rangeField, freeTextField, textField, timeField, wordField, type SearchFields } from '../search.js';
import type { WriteBehind } from '../write-behind.js';
import { withAllWaiting, withWaiting } from './waiting-decisions.js';

const FIELDS: SearchFields = {
  ip: rangeField('d.valueKey', 'd.valueLast'),
  policy: textField('d.policy'),
  origin: textField('d.origin'),
  actor: textField('d.actor'),
  action: textField('d.action'),
  scope: textField('d.scope'),
  after: timeField('d.createdMs', '>='),
  before: timeField('d.createdMs', '<'),
  is: wordField({
    simulated: 'd.simulated = 1',
    real: 'd.simulated = 0',
    pending: "d.enforcement = 'pending'",
    applied: "d.enforcement = 'applied'",
    rejected: "d.enforcement = 'rejected'",
    expired: "d.enforcement = 'expired'",
    revoked: "d.enforcement = 'revoked'",
    failed: "d.enforcement = 'failed'",
  }),
  '': freeTextField('d.search'),
};

const WALK: WalkSpec = {
  alias: 'd',
  time: 'createdMs',
  fields: FIELDS,
  indexed: new Set(['d.enforcement', 'd.valueKey']),
};

export const DECISION_OPS = ['created', 'applied', 'rejected', 'failed', 'extended', 'released', 'expired'] as const;
export type DecisionOp = (typeof DECISION_OPS)[number];

export interface DecisionStep {
  atMs: number;
  op: DecisionOp;
  actor: string;
  reason: string;
}

/** The decision as it is now, and what just happened to it, if that belongs into its history. */
export interface DecisionWrite {
  decision: Decision;
  step?: DecisionStep | undefined;
}

function toRow(decision: Decision): DecisionRow {
  const words = [decision.value, decision.reason, decision.actor, decision.policy ?? '', decision.error ?? ''];
  const cidr = parseCidr(decision.value);
  const range = cidr ? addressKeyRange(cidr) : { first: '', last: '' };
  return {
    id: decision.id,
    action: decision.action,
    scope: decision.scope,
    value: decision.value,
    valueKey: range.first,
    valueLast: range.last,
    origin: decision.origin,
    actor: clip(decision.actor, 64),
    policy: clip(decision.policy ?? '', 64),
    incidentId: decision.incidentId ?? '',
    simulated: decision.simulated,
    enforcement: decision.enforcement,
    createdMs: decision.createdMs,
    expiresMs: decision.expiresMs,
    search: clip(words.join(' ').toLowerCase(), 512),
    body: JSON.stringify(decision),
  };
}

const fromRow = (row: DecisionRow): Decision => JSON.parse(row.body) as Decision;

export interface DecisionRepository {
  /** Never waits; the newest state of a decision wins. */
  queue(write: DecisionWrite): boolean;
  /** Queues and resolves when it is on disk. */
  save(write: DecisionWrite): Promise<void>;
  get(id: string): Promise<Decision | undefined>;
  list(page: PageRequest & { state: 'active' | 'all' }, nowMs: number): Promise<PageResult<Decision>>;
  /** Everything that should be in force now: real and simulated, newest first. For the start of the server. */
  active(nowMs: number): Promise<Decision[]>;
  ofAlert(alertId: string): Promise<Decision[]>;
  ofIncident(incidentId: string): Promise<Decision[]>;
  /** Decisions on the address or on a prefix around it, ended ones too. */
  ofAddress(address: string, limit: number): Promise<Decision[]>;
  history(id: string): Promise<DecisionStep[]>;
  counts(nowMs: number): Promise<{ active: number; simulated: number }>;
}

const DECISION_CHANGES = ['enforcement', 'expiresMs', 'simulated', 'search', 'body'] as const;

export async function writeDecisions(db: Database, batch: readonly DecisionWrite[]): Promise<void> {
  const newest = new Map(batch.map(({ decision }) => [decision.id, decision]));
  const links = [...newest.values()].flatMap((d) => d.alertIds.map((alertId) => ({ alertId, decisionId: d.id })));
  const steps = batch.flatMap(({ decision, step }) =>
    step === undefined
      ? []
      : [
          {
            ...step,
            id: uuid7(),
            decisionId: decision.id,
            actor: clip(step.actor, 64),
            reason: clip(step.reason, 1000),
          },
        ],
  );
  await db.write(async (manager) => {
    await bulkInsert(db, manager, db.entities.decision, [...newest.values()].map(toRow), DECISION_CHANGES);
    if (links.length > 0) {
      await manager
        .createQueryBuilder()
        .insert()
        .into(db.entities.decisionAlert)
        .values(links)
        .orIgnore()
        .updateEntity(false)
        .execute();
    }
    if (steps.length > 0) await bulkInsert(db, manager, db.entities.decisionHistory, steps);
  });
}

const ENDED: readonly Enforcement[] = ['rejected', 'failed', 'revoked', 'expired'];
const IDS_PER_QUERY = 500;

/** Leaves out what the database knows to be over: after a power cut a file may hold again what had been done with. */
export async function withoutEnded(db: Database, writes: readonly DecisionWrite[]): Promise<DecisionWrite[]> {
  const ids = [...new Set(writes.map(({ decision }) => decision.id))];
  const ended = new Set<string>();
  for (let i = 0; i < ids.length; i += IDS_PER_QUERY) {
    const where = { id: In(ids.slice(i, i + IDS_PER_QUERY)), enforcement: In([...ENDED]) };
    for (const { id } of await db.manager.find(db.entities.decision, { select: { id: true }, where })) ended.add(id);
  }
  return writes.filter(({ decision }) => !ended.has(decision.id));
}

const IN_FORCE = "d.enforcement IN ('pending', 'applied') AND (d.expiresMs = 0 OR d.expiresMs > :nowMs)";

export function createDecisionRepository(db: Database, writes: WriteBehind<DecisionWrite>): DecisionRepository {
  const rows = db.manager.getRepository(db.entities.decision);
  const links = db.manager.getRepository(db.entities.decisionAlert);
  const steps = db.manager.getRepository(db.entities.decisionHistory);
  const newestFirst = { createdMs: 'DESC', id: 'DESC' } as const;
  const waiting = (): Map<string, Decision> => new Map(writes.waiting().map(({ decision: d }) => [d.id, d]));

  return {
    queue: (write) => writes.push(write),
    async save(write) {
      writes.push(write);
      await writes.flush();
    },
    async get(id) {
      await writes.settle();
      const waits = waiting().get(id);
      if (waits) return waits;
      const row = await rows.findOneBy({ id });
      return row ? fromRow(row) : undefined;
    },
    async list(page, nowMs) {
      await writes.settle();
      const base = { sql: IN_FORCE, parameters: { nowMs } };
      const { ids, nextCursor } = await walkPage(rows, page, { ...WALK, ...(page.state === 'active' ? { base } : {}) });
      const found = ids.length === 0 ? [] : await rows.findBy({ id: In(ids) });
      return { items: withWaiting(inOrderOf(ids, found).map(fromRow), waiting(), page, nowMs), nextCursor };
    },
    async active(nowMs) {
      await writes.settle();
      const found = await rows
        .createQueryBuilder('d')
        .where(IN_FORCE, { nowMs })
        .orderBy('d.createdMs', 'DESC')
        .getMany();
      return withAllWaiting(found.map(fromRow), waiting(), nowMs);
    },
    async ofAlert(alertId) {
      await writes.settle();
      const ids = (await links.findBy({ alertId })).map((link) => link.decisionId);
      if (ids.length === 0) return [];
      return (await rows.find({ where: { id: In(ids) }, order: newestFirst })).map(fromRow);
    },
    async ofIncident(incidentId) {
      await writes.settle();
      return (await rows.find({ where: { incidentId }, order: newestFirst, take: 200 })).map(fromRow);
    },
    async ofAddress(address, limit) {
      await writes.settle();
      const cidr = parseCidr(address);
      if (!cidr) return [];
      const { last } = addressKeyRange(cidr);
      const where = { valueKey: In(coveringKeys(cidr)), valueLast: MoreThanOrEqual(last) };
      return (await rows.find({ where, order: newestFirst, take: limit })).map(fromRow);
    },
    async history(id) {
      await writes.settle();
      const found = await steps.find({ where: { decisionId: id }, order: { atMs: 'ASC', id: 'ASC' }, take: 1000 });
      return found.map(({ atMs, op, actor, reason }) => ({ atMs, op: op as DecisionOp, actor, reason }));
    },
    async counts(nowMs) {
      const found = await rows
        .createQueryBuilder('d')
        .select('d.simulated', 'simulated')
        .addSelect('COUNT(*)', 'n')
        .where(IN_FORCE, { nowMs })
        .groupBy('d.simulated')
        .getRawMany<{ simulated: number; n: number | string }>();
      const of = (flag: number): number => Number(found.find((row) => Number(row.simulated) === flag)?.n ?? 0);
      return { active: of(0), simulated: of(1) };
    },
  };
}
