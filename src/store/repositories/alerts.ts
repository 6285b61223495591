import { In, Like, type EntityManager } from 'typeorm';
import type { AlertState, LabelVerdict } from '../../domain/alert.js';
import { SEVERITIES } from '../../domain/severity.js';
import type { Verdict } from '../../domain/verdict.js';
import { addressKey } from '../address-key.js';
import type { AlertRollup } from '../alert-rollup.js';
import { bulkInsert } from '../bulk-insert.js';
import type { Database } from '../data-source.js';
import { ALERT_GROWS, type AlertRow } from '../entities/alert.js';
import {
  fromAlertRow,
  fromVerdictText,
  toAlertBody,
  toAlertRow,
  toAlertText,
  type AlertAnswer,
  type AlertWrite,
  type StoredAlert,
} from '../map-alert.js';
import { inOrderOf, walkPage, type WalkSpec } from '../page-walk.js';
import type { PageRequest, PageResult } from '../paging.js';
import {
  addressField,
  listField,
  numberField,
  rankField,
  sharedTextField,
  textField,
  timeField,
  wordField,
  type SearchFields,
} from '../search.js';
import type { WriteBehind } from '../write-behind.js';
import { protocolField } from './protocol-field.js';

const FIELDS: SearchFields = {
  ip: addressField('a.offenderKey', 'a.peerKey'),
  offender: addressField('a.offenderKey'),
  port: numberField('a.srcPort', 'a.dstPort'),
  proto: protocolField('a.proto'),
  label: textField('a.label'),
  tier: listField('a.tiers'),
  score: numberField('a.score'),
  confidence: numberField('a.confidence'),
  severity: rankField('a.severity', SEVERITIES),
  sid: numberField('a.signatureId'),
  sensor: textField('a.sensor'),
  incident: textField('a.incidentId'),
  after: timeField('a.lastMs', '>='),
  before: timeField('a.lastMs', '<'),
  is: wordField({
    open: "a.state = 'open'",
    archived: "a.state = 'archived'",
    escalated: "a.state = 'escalated'",
    blocked: "a.response = 'blocked'",
    simulated: "a.response = 'simulated'",
    labelled: "a.labelVerdict <> ''",
  }),
  '': sharedTextField('a.textId', 'alert_texts'),
};

const INDEXED: WalkSpec['indexed'] = new Set([
  'a.offenderKey', 'a.peerKey', 'a.srcPort', 'a.dstPort', 'a.label', 'a.severity', 'a.signatureId', 'a.incidentId', 'a.state', 'a.response',
  'a.textId',
]); // prettier-ignore
/** A word in more texts than this is common enough to be found by walking. */
const MAX_TEXTS = 32;

export interface AlertRepository {
  /** Never waits; see `stats()` of the store for what was dropped. */
  queue(write: AlertWrite | AlertAnswer): boolean;
  get(id: string): Promise<StoredAlert | undefined>;
  getMany(ids: readonly string[]): Promise<StoredAlert[]>;
  verdict(id: string): Promise<Verdict | undefined>;
  list(page: PageRequest): Promise<PageResult<StoredAlert>>;
  /** @returns how many exist and are in that state now. */
  setState(ids: readonly string[], state: AlertState): Promise<number>;
  setLabelVerdict(id: string, verdict: LabelVerdict): Promise<void>;
  ofIncident(incidentId: string, limit: number): Promise<StoredAlert[]>;
  ofAddress(address: string, limit: number): Promise<StoredAlert[]>;
  counts(sinceMs: number): Promise<{ since: number; open: number }>;
}

/**
 * Writes a batch of alerts: new ones in full, known ones only where the correlator may change them; and what was done
 * about alerts, which are written by then.
 */
export async function writeAlerts(db: Database, batch: readonly (AlertWrite | AlertAnswer)[]): Promise<void> {
  const newest = new Map<string, AlertWrite>();
  const answers: AlertAnswer[] = [];
  for (const write of batch) {
    if (!('alert' in write)) {
      answers.push(write);
      continue;
    }
    const before = newest.get(write.alert.id);
    newest.set(write.alert.id, { verdict: before?.verdict, response: before?.response, ...definedOf(write) });
  }
  const writes = [...newest.values()];
  await db.write(async (manager) => {
    if (writes.length > 0) await insertAlerts(db, manager, writes);
    for (const { ids, response } of answers) {
      await manager.update(db.entities.alert, { id: In([...ids]) }, { response });
    }
  });
}

async function insertAlerts(db: Database, manager: EntityManager, writes: readonly AlertWrite[]): Promise<void> {
  const texts = new Map(writes.map(({ alert }) => toAlertText(alert)).map((row) => [row.id, row]));
  await bulkInsert(db, manager, db.entities.alertText, [...texts.values()], ['text']);
  await bulkInsert(db, manager, db.entities.alert, writes.map(toAlertRow), ALERT_GROWS);
  await bulkInsert(db, manager, db.entities.alertBody, writes.map(toAlertBody), ['body']);
  for (const { alert, verdict, response } of writes) {
    if (verdict !== undefined) {
      await manager.update(db.entities.alertBody, { id: alert.id }, { verdict: JSON.stringify(verdict) });
    }
    if (response !== undefined) await manager.update(db.entities.alert, { id: alert.id }, { response });
  }
}

function definedOf(write: AlertWrite): AlertWrite {
  return {
    alert: write.alert,
    ...(write.verdict === undefined ? {} : { verdict: write.verdict }),
    ...(write.response === undefined ? {} : { response: write.response }),
  };
}

export function createAlertRepository(
  db: Database,
  writes: WriteBehind<AlertWrite | AlertAnswer>,
  rollup: AlertRollup,
): AlertRepository {
  const rows = db.manager.getRepository(db.entities.alert);
  const bodies = db.manager.getRepository(db.entities.alertBody);
  const texts = db.manager.getRepository(db.entities.alertText);
  const newestFirst = { lastMs: 'DESC', id: 'DESC' } as const;

  async function change(task: (manager: EntityManager) => Promise<unknown>): Promise<void> {
    await writes.flush();
    await db.write(task);
  }

  /** The rows as alerts, in their order. */
  async function toAlerts(found: readonly AlertRow[]): Promise<StoredAlert[]> {
    if (found.length === 0) return [];
    const list = await bodies.find({ select: { id: true, body: true }, where: { id: In(found.map(({ id }) => id)) } });
    const bodyOf = new Map(list.map(({ id, body }) => [id, body]));
    return found.filter(({ id }) => bodyOf.has(id)).map((row) => fromAlertRow(row, bodyOf.get(row.id) ?? ''));
  }

  async function seekWord(word: string) {
    const text = Like(`%${word.toLowerCase().replaceAll(/[\\%_]/g, '_')}%`);
    const found = await texts.find({ select: { id: true }, where: { text }, take: MAX_TEXTS + 1 });
    return found.length > MAX_TEXTS
      ? undefined
      : { columns: ['a.textId'], values: found.map(({ id }) => id), partial: true as const };
  }
  const walk: WalkSpec = { alias: 'a', time: 'lastMs', fields: FIELDS, indexed: INDEXED, seekWord };
  const counted = createCounts(async (sinceMs: number) => {
    const since = await rows.createQueryBuilder('a').where('a.lastMs >= :sinceMs', { sinceMs }).getCount();
    return { since, open: await rows.countBy({ state: 'open' }) };
  });

  return {
    queue(write) {
      if ('alert' in write) rollup.add(write.alert, write.response);
      else rollup.respond(write.ids, write.response);
      return writes.push(write);
    },
    async get(id) {
      await writes.settle();
      return (await toAlerts(await rows.findBy({ id })))[0];
    },
    async getMany(ids) {
      if (ids.length === 0) return [];
      return toAlerts(await rows.find({ where: { id: In([...ids]) }, order: newestFirst }));
    },
    async verdict(id) {
      await writes.settle();
      const row = await bodies.findOneBy({ id });
      return row ? fromVerdictText(row.verdict) : undefined;
    },
    async list(page) {
      const { ids, nextCursor } = await walkPage(rows, page, walk);
      const found = ids.length === 0 ? [] : await rows.findBy({ id: In(ids) });
      return { items: await toAlerts(inOrderOf(ids, found)), nextCursor };
    },
    async setState(ids, state) {
      await change((manager) => manager.update(db.entities.alert, { id: In([...ids]) }, { state }));
      return rows.countBy({ id: In([...ids]), state });
    },
    setLabelVerdict: (id, verdict) =>
      change((manager) => manager.update(db.entities.alert, { id }, { labelVerdict: verdict })),
    async ofIncident(incidentId, limit) {
      return toAlerts(await rows.find({ where: { incidentId }, order: newestFirst, take: limit }));
    },
    async ofAddress(address, limit) {
      const where = { offenderKey: addressKey(address) };
      return toAlerts(await rows.find({ where, order: newestFirst, take: limit }));
    },
    counts: counted,
  };
}

/** Share of the time that counting may take. */
const COUNT_SHARE = 20;

/** Remembers a count for a while, the longer the longer it took: counting a million open alerts each second is a load. */
function createCounts<T>(count: (sinceMs: number) => Promise<T>): (sinceMs: number) => Promise<T> {
  let known: { value: T; untilMs: number } | undefined;
  return async (sinceMs) => {
    const startedMs = performance.now();
    if (known && startedMs < known.untilMs) return known.value;
    const value = await count(sinceMs);
    const nowMs = performance.now();
    known = { value, untilMs: nowMs + (nowMs - startedMs) * COUNT_SHARE };
    return value;
  };
}
