import { LessThan, MoreThan } from 'typeorm';
import type { FlowSample, TrainingReport, TrainingRun } from '../../contract/http.js';
import { INDEPENDENT_TIERS, type Tier } from '../../domain/detection.js';
import { severityRank } from '../../domain/severity.js';
import { bulkInsert } from '../bulk-insert.js';
import { clip } from '../columns.js';
import type { Database } from '../data-source.js';
import type { FlowSampleRow } from '../entities/training.js';
import { applyPage, toPage, type PageRequest, type PageResult } from '../paging.js';
import { textField, type SearchFields } from '../search.js';

const RUN_FIELDS: SearchFields = {
  model: textField('r.model'),
  state: textField('r.state'),
  '': textField('r.model'),
};

const MAX_ACCUSED = 200_000;

/** An alert whose block a person stood by. */
export interface Confirmation {
  alertId: string;
  user: string;
  atMs: number;
}

const MAX_CONFIRMED = 20_000;
const BY_HAND_MS = 86_400_000;

/** An alert of a tier that does not learn from labels: evidence about its offender. */
export interface Accusation {
  offender: string;
  /** Tiers that agree. */
  tiers: Tier[];
  lastMs: number;
}

const MAX_ACCUSATIONS = 200_000;
const HAS_INDEPENDENT_TIER = `(${INDEPENDENT_TIERS.map((tier) => `a.tiers LIKE '%,${tier},%'`).join(' OR ')})`;
/** From medium on: lesser ones note what is unusual, not what is hostile. */
const ACCUSING_SEVERITY = severityRank('medium');

export interface TrainingRepository {
  /** Adds a run or puts its newer report in place. */
  save(report: TrainingReport): Promise<void>;
  get(id: string): Promise<TrainingReport | undefined>;
  list(page: PageRequest): Promise<PageResult<TrainingRun>>;
  /**
   * Addresses that alerts since a time hold responsible; an alert of models alone that was called a false positive last
   * accuses nobody.
   */
  accused(sinceMs: number): Promise<string[]>;
  /** Alerts since a time that a signature, a behaviour or an intelligence feed raised or agreed on, newest first. */
  accusations(sinceMs: number): Promise<Accusation[]>;
  /**
   * Alerts that a person confirmed by what they did: extended the block a policy had made for them, or blocked the
   * offender's address by hand within a day. Of an alert's confirmations the newest; lifted blocks confirm nothing.
   */
  confirmed(sinceMs: number): Promise<Confirmation[]>;
  /** Newest first. */
  inState(states: readonly string[]): Promise<TrainingReport[]>;
}

export function createTrainingRepository(db: Database): TrainingRepository {
  const rows = db.manager.getRepository(db.entities.trainingRun);
  const parse = (row: { report: string }): TrainingReport => JSON.parse(row.report) as TrainingReport;
  return {
    async save(report) {
      const { id, model, state, startedMs } = report;
      const row = { id, model, state, startedMs, report: JSON.stringify(report) };
      await db.write((manager) => manager.upsert(db.entities.trainingRun, row, ['id']));
    },
    async get(id) {
      const row = await rows.findOneBy({ id });
      return row ? parse(row) : undefined;
    },
    async list(page) {
      const spec = { time: 'r.startedMs', id: 'r.id', fields: RUN_FIELDS };
      const found = await applyPage(rows.createQueryBuilder('r'), page, spec).getMany();
      return toPage(found, page.limit, (row) => ({ at: row.startedMs, id: row.id }), parse);
    },
    async accused(sinceMs) {
      const found = await db.manager
        .getRepository(db.entities.alert)
        .createQueryBuilder('a')
        .select('DISTINCT a.offender', 'offender')
        .where('a.lastMs > :sinceMs', { sinceMs })
        .andWhere(`(a.labelVerdict <> 'false_positive' OR ${HAS_INDEPENDENT_TIER})`)
        .limit(MAX_ACCUSED)
        .getRawMany<{ offender: string }>();
      return found.map((row) => row.offender);
    },
    async accusations(sinceMs) {
      const found = await db.manager
        .getRepository(db.entities.alert)
        .createQueryBuilder('a')
        .select('a.offender', 'offender')
        .addSelect('a.tiers', 'tiers')
        .addSelect('a.lastMs', 'lastMs')
        .where('a.lastMs > :sinceMs AND a.severity >= :severity', { sinceMs, severity: ACCUSING_SEVERITY })
        .andWhere(HAS_INDEPENDENT_TIER)
        .orderBy('a.lastMs', 'DESC')
        .limit(MAX_ACCUSATIONS)
        .getRawMany<{ offender: string; tiers: string; lastMs: number | string }>();
      return found.map((row) => ({
        offender: row.offender,
        tiers: row.tiers.split(',').filter((tier) => tier !== '') as Tier[],
        lastMs: Number(row.lastMs),
      }));
    },
    async confirmed(sinceMs) {
      const { decision, decisionAlert, decisionHistory, alert } = db.entities;
      const extended = await db.manager
        .getRepository(decisionHistory)
        .createQueryBuilder('h')
        .innerJoin(decision.options.name, 'd', 'd.id = h.decisionId')
        .innerJoin(decisionAlert.options.name, 'l', 'l.decisionId = d.id')
        .select('l.alertId', 'alertId')
        .addSelect('h.actor', 'user')
        .addSelect('h.atMs', 'atMs')
        .where("h.op = 'extended' AND d.origin = 'policy' AND d.enforcement <> 'revoked' AND h.atMs > :sinceMs", {
          sinceMs,
        })
        .orderBy('h.atMs', 'DESC')
        .limit(MAX_CONFIRMED)
        .getRawMany<Confirmation>();
      const byHand = await db.manager
        .getRepository(decision)
        .createQueryBuilder('d')
        .innerJoin(alert.options.name, 'a', 'a.offenderKey = d.valueKey')
        .select('a.id', 'alertId')
        .addSelect('d.actor', 'user')
        .addSelect('d.createdMs', 'atMs')
        .where("d.origin = 'operator' AND d.scope = 'ip' AND d.action = 'block' AND d.enforcement <> 'revoked'")
        .andWhere('d.createdMs > :sinceMs AND d.createdMs >= a.firstMs AND d.createdMs - a.lastMs < :day', {
          sinceMs,
          day: BY_HAND_MS,
        })
        .orderBy('d.createdMs', 'DESC')
        .limit(MAX_CONFIRMED)
        .getRawMany<Confirmation>();
      const oldestFirst = [...extended, ...byHand]
        .map((c) => ({ ...c, atMs: Number(c.atMs) }))
        .sort((a, b) => a.atMs - b.atMs);
      return [...new Map(oldestFirst.map((c) => [c.alertId, c])).values()];
    },
    async inState(states) {
      const where = states.map((state) => ({ state }));
      return (await rows.find({ where, order: { startedMs: 'DESC', id: 'DESC' }, take: 100 })).map(parse);
    },
  };
}

/** A sampled flow with its vector. */
export type StoredSample = FlowSample & { values: number[] };

export interface SampleRepository {
  add(samples: readonly StoredSample[]): Promise<void>;
  get(id: string): Promise<StoredSample | undefined>;
  /** Newest first. */
  unlabelled(limit: number): Promise<FlowSample[]>;
  setLabelled(id: string): Promise<void>;
  /** For training: unlabelled ones of a schema between two times, newest first. */
  between(featureSchema: string, fromMs: number, toMs: number, limit: number): Promise<StoredSample[]>;
  count(featureSchema: string): Promise<number>;
  /** Deletes the oldest beyond `keep`. */
  prune(keep: number): Promise<number>;
}

const INSERT_ROWS = 100;

export function createSampleRepository(db: Database): SampleRepository {
  const rows = db.manager.getRepository(db.entities.flowSample);
  return {
    async add(samples) {
      const list = samples.map(toSampleRow);
      for (let at = 0; at < list.length; at += INSERT_ROWS) {
        const part = list.slice(at, at + INSERT_ROWS);
        await db.write((manager) => bulkInsert(db, manager, db.entities.flowSample, part));
      }
    },
    async get(id) {
      const row = await rows.findOneBy({ id });
      return row ? fromSampleRow(row) : undefined;
    },
    async unlabelled(limit) {
      const found = await rows.find({
        where: { labelled: false },
        order: { atMs: 'DESC', id: 'DESC' },
        take: limit,
      });
      return found.map((row) => {
        const { values: _values, ...sample } = fromSampleRow(row);
        return sample;
      });
    },
    async setLabelled(id) {
      await db.write((manager) => manager.update(db.entities.flowSample, { id }, { labelled: true }));
    },
    async between(featureSchema, fromMs, toMs, limit) {
      const found = await rows
        .createQueryBuilder('s')
        .where('s.atMs > :fromMs AND s.atMs <= :toMs AND s.featureSchema = :featureSchema AND s.labelled = 0')
        .setParameters({ fromMs, toMs, featureSchema })
        .orderBy('s.atMs', 'DESC')
        .addOrderBy('s.id', 'DESC')
        .take(limit)
        .getMany();
      return found.map(fromSampleRow);
    },
    count: (featureSchema) => rows.countBy({ featureSchema, labelled: false, atMs: MoreThan(0) }),
    async prune(keep) {
      const [first] = await rows.find({ order: { atMs: 'DESC', id: 'DESC' }, skip: keep, take: 1 });
      if (!first) return 0;
      const result = await db.write((manager) =>
        manager.delete(db.entities.flowSample, { atMs: LessThan(first.atMs + 1) }),
      );
      return result.affected ?? 0;
    },
  };
}

function toSampleRow({ scores, values, ...sample }: StoredSample): FlowSampleRow {
  return {
    ...sample,
    sensor: clip(sample.sensor, 64),
    scores: JSON.stringify(scores),
    featureValues: JSON.stringify(values),
    labelled: false,
  };
}

function fromSampleRow({ scores, featureValues, labelled: _labelled, ...row }: FlowSampleRow): StoredSample {
  return {
    ...row,
    scores: JSON.parse(scores) as Record<string, number>,
    values: JSON.parse(featureValues) as number[],
  };
}
