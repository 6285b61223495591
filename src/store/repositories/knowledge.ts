import { MoreThan } from 'typeorm';
import type { LabelVerdict } from '../../domain/alert.js';
import type { AllowEntry } from '../../domain/decision.js';
import type { Tier } from '../../domain/detection.js';
import { addressKey } from '../address-key.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { LabelRow, PolicyVersionRow } from '../entities/knowledge.js';
import { isDuplicate } from '../errors.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import { textField, type SearchFields } from '../search.js';

/** A label with what training needs. */
export interface StoredLabel {
  id: string;
  alertId: string;
  verdict: LabelVerdict;
  class?: string;
  comment?: string;
  user: string;
  createdMs: number;
  alertLabel: string;
  /** Address held responsible. */
  source?: string;
  /** Tiers that agreed on the alert when it was judged: evidence that outlives the alert. */
  tiers?: Tier[];
  features?: { schema: string; values: number[] };
}

export interface LabelRepository {
  add(label: StoredLabel): Promise<void>;
  ofAlert(alertId: string): Promise<StoredLabel[]>;
  /** For training, oldest first; only the newest label of each alert counts, which is the caller's business. */
  since(ms: number, limit: number): Promise<StoredLabel[]>;
}

function toLabelRow(label: StoredLabel): LabelRow {
  return {
    id: label.id,
    alertId: label.alertId,
    verdict: label.verdict,
    class: label.class ?? '',
    comment: clip(label.comment ?? '', 1000),
    user: label.user,
    createdMs: label.createdMs,
    alertLabel: clip(label.alertLabel, 128),
    featureSchema: label.features?.schema ?? '',
    featureValues: label.features === undefined ? '' : JSON.stringify(label.features.values),
    source: clip(label.source ?? '', 45),
    tiers: (label.tiers ?? []).join(','),
  };
}

function fromLabelRow(row: LabelRow): StoredLabel {
  const { featureSchema, featureValues, verdict, class: className, comment, source, tiers, ...rest } = row;
  return {
    ...rest,
    verdict: verdict as LabelVerdict,
    ...(className === '' ? {} : { class: className }),
    ...(comment === '' ? {} : { comment }),
    ...(source === '' ? {} : { source }),
    ...(tiers === '' ? {} : { tiers: tiers.split(',') as Tier[] }),
    ...(featureValues === ''
      ? {}
      : { features: { schema: featureSchema, values: JSON.parse(featureValues) as number[] } }),
  };
}

export function createLabelRepository(db: Database): LabelRepository {
  const rows = db.manager.getRepository(db.entities.label);
  return {
    async add(label) {
      await db.write((manager) => manager.insert(db.entities.label, toLabelRow(label)));
    },
    async ofAlert(alertId) {
      const found = await rows.find({ where: { alertId }, order: { createdMs: 'DESC', id: 'DESC' }, take: 100 });
      return found.map(fromLabelRow);
    },
    async since(ms, limit) {
      const where = { createdMs: MoreThan(ms) };
      return (await rows.find({ where, order: { createdMs: 'ASC', id: 'ASC' }, take: limit })).map(fromLabelRow);
    },
  };
}

const ALLOW_FIELDS: SearchFields = {
  owner: textField('w.owner'),
  value: textField('w.value'),
  '': textField('w.value'),
};

export interface AllowlistRepository {
  add(entry: AllowEntry): Promise<void>;
  get(id: string): Promise<AllowEntry | undefined>;
  remove(id: string): Promise<void>;
  list(page: PageRequest): Promise<PageResult<AllowEntry>>;
  /** Entries that have not ended. */
  active(nowMs: number): Promise<AllowEntry[]>;
}

export function createAllowlistRepository(db: Database): AllowlistRepository {
  const rows = db.manager.getRepository(db.entities.allow);
  const strip = ({ valueKey: _key, ...entry }: AllowEntry & { valueKey: string }): AllowEntry => entry;
  return {
    async add(entry) {
      const row = { ...entry, comment: clip(entry.comment, 1000), valueKey: addressKey(entry.value) };
      await db.write((manager) => manager.insert(db.entities.allow, row));
    },
    async get(id) {
      const row = await rows.findOneBy({ id });
      return row ? strip(row) : undefined;
    },
    async remove(id) {
      await db.write((manager) => manager.delete(db.entities.allow, { id }));
    },
    async list(page) {
      const spec = { time: 'w.createdMs', id: 'w.id', fields: ALLOW_FIELDS };
      const found = await applyPage(rows.createQueryBuilder('w'), page, spec).getMany();
      return toPage(found, page.limit, (row) => ({ at: row.createdMs, id: row.id }), strip);
    },
    async active(nowMs) {
      const found = await rows.find({ where: [{ expiresMs: 0 }, { expiresMs: MoreThan(nowMs) }] });
      return found.map(strip);
    },
  };
}

export interface SettingRepository {
  get(name: string): Promise<unknown>;
  set(name: string, value: unknown, actor: string): Promise<void>;
}

export function createSettingRepository(db: Database): SettingRepository {
  const rows = db.manager.getRepository(db.entities.setting);
  return {
    async get(name) {
      const row = await rows.findOneBy({ name });
      return row ? (JSON.parse(row.value) as unknown) : undefined;
    },
    async set(name, value, actor) {
      const row = { name, value: JSON.stringify(value), actor, updatedMs: Date.now() };
      await db.write((manager) => manager.upsert(db.entities.setting, row, ['name']));
    },
  };
}

export interface PolicyRepository {
  /** @returns the stored version; numbers rise by one for each name. */
  add(policy: { name: string; yaml: string; actor: string; comment: string }): Promise<PolicyVersionRow>;
  /** Newest version of every policy, by name. */
  current(): Promise<PolicyVersionRow[]>;
  /** Newest first. */
  versions(name: string): Promise<PolicyVersionRow[]>;
}

export function createPolicyRepository(db: Database): PolicyRepository {
  const rows = db.manager.getRepository(db.entities.policyVersion);
  return {
    async add(policy) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await db.write(async (manager) => {
            const where = { name: policy.name };
            const [last] = await manager.find(db.entities.policyVersion, {
              where,
              order: { version: 'DESC' },
              take: 1,
            });
            const row = { ...policy, version: (last?.version ?? 0) + 1, createdMs: Date.now() };
            await manager.insert(db.entities.policyVersion, row);
            return row;
          });
        } catch (error) {
          if (attempt >= 5 || !isDuplicate(error)) throw error;
        }
      }
    },
    current: () =>
      rows
        .createQueryBuilder('p')
        .where('p.version = (SELECT MAX(newest.version) FROM policy_versions newest WHERE newest.name = p.name)')
        .orderBy('p.name')
        .getMany(),
    versions: (name) => rows.find({ where: { name }, order: { version: 'DESC' }, take: 200 }),
  };
}
