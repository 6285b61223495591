import { In, type EntityManager } from 'typeorm';
import type { AlertState, LabelVerdict } from '../../domain/alert.js';
import { SEVERITIES } from '../../domain/severity.js';
import type { Verdict } from '../../domain/verdict.js';
import { addressKey } from '../address-key.js';
import { bulkInsert } from '../bulk-insert.js';
import type { Database } from '../data-source.js';
import { ALERT_GROWS } from '../entities/alert.js';
import {
  fromAlertRow,
  fromVerdictText,
  toAlertRow,
  type AlertResponse,
  type AlertWrite,
  type StoredAlert,
} from '../map-alert.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import {
  addressField,
  freeTextField,
  listField,
  numberField,
  rankField,
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
  '': freeTextField('a.search'),
};

export interface AlertRepository {
  /** Never waits; see `stats()` of the store for what was dropped. */
  queue(write: AlertWrite): boolean;
  get(id: string): Promise<StoredAlert | undefined>;
  getMany(ids: readonly string[]): Promise<StoredAlert[]>;
  verdict(id: string): Promise<Verdict | undefined>;
  list(page: PageRequest): Promise<PageResult<StoredAlert>>;
  /** @returns how many exist and are in that state now. */
  setState(ids: readonly string[], state: AlertState): Promise<number>;
  setLabelVerdict(id: string, verdict: LabelVerdict): Promise<void>;
  setResponse(ids: readonly string[], response: AlertResponse): Promise<void>;
  ofIncident(incidentId: string, limit: number): Promise<StoredAlert[]>;
  ofAddress(address: string, limit: number): Promise<StoredAlert[]>;
  counts(sinceMs: number): Promise<{ since: number; open: number }>;
}

/** Writes a batch of alerts: new ones in full, known ones only where the correlator may change them. */
export async function writeAlerts(db: Database, batch: readonly AlertWrite[]): Promise<void> {
  const newest = new Map<string, AlertWrite>();
  for (const write of batch) {
    const before = newest.get(write.alert.id);
    newest.set(write.alert.id, { verdict: before?.verdict, response: before?.response, ...definedOf(write) });
  }
  const writes = [...newest.values()];
  await db.write(async (manager) => {
    await bulkInsert(db, manager, db.entities.alert, writes.map(toAlertRow), ALERT_GROWS);
    for (const { alert, verdict, response } of writes) {
      if (verdict === undefined && response === undefined) continue;
      await manager.update(
        db.entities.alert,
        { id: alert.id },
        {
          ...(verdict === undefined ? {} : { verdict: JSON.stringify(verdict) }),
          ...(response === undefined ? {} : { response }),
        },
      );
    }
  });
}

function definedOf(write: AlertWrite): AlertWrite {
  return {
    alert: write.alert,
    ...(write.verdict === undefined ? {} : { verdict: write.verdict }),
    ...(write.response === undefined ? {} : { response: write.response }),
  };
}

export function createAlertRepository(db: Database, writes: WriteBehind<AlertWrite>): AlertRepository {
  const rows = db.manager.getRepository(db.entities.alert);
  const newestFirst = { lastMs: 'DESC', id: 'DESC' } as const;

  async function change(task: (manager: EntityManager) => Promise<unknown>): Promise<void> {
    await writes.flush();
    await db.write(task);
  }

  const find = async (id: string) => {
    await writes.flush();
    return rows.findOneBy({ id });
  };

  return {
    queue: (write) => writes.push(write),
    async get(id) {
      const row = await find(id);
      return row ? fromAlertRow(row) : undefined;
    },
    async getMany(ids) {
      if (ids.length === 0) return [];
      const found = await rows.find({ where: { id: In([...ids]) }, order: newestFirst });
      return found.map(fromAlertRow);
    },
    async verdict(id) {
      const row = await find(id);
      return row ? fromVerdictText(row.verdict) : undefined;
    },
    async list(page) {
      const builder = applyPage(rows.createQueryBuilder('a'), page, { time: 'a.lastMs', id: 'a.id', fields: FIELDS });
      const found = await builder.getMany();
      return toPage(found, page.limit, (row) => ({ at: row.lastMs, id: row.id }), fromAlertRow);
    },
    async setState(ids, state) {
      await change((manager) => manager.update(db.entities.alert, { id: In([...ids]) }, { state }));
      return rows.countBy({ id: In([...ids]), state });
    },
    setLabelVerdict: (id, verdict) =>
      change((manager) => manager.update(db.entities.alert, { id }, { labelVerdict: verdict })),
    setResponse: (ids, response) =>
      change((manager) => manager.update(db.entities.alert, { id: In([...ids]) }, { response })),
    async ofIncident(incidentId, limit) {
      return (await rows.find({ where: { incidentId }, order: newestFirst, take: limit })).map(fromAlertRow);
    },
    async ofAddress(address, limit) {
      const where = { offenderKey: addressKey(address) };
      return (await rows.find({ where, order: newestFirst, take: limit })).map(fromAlertRow);
    },
    async counts(sinceMs) {
      const since = await rows.createQueryBuilder('a').where('a.lastMs >= :sinceMs', { sinceMs }).getCount();
      return { since, open: await rows.countBy({ state: 'open' }) };
    },
  };
}
