import { SEVERITIES } from '../../domain/severity.js';
import { TIERS } from '../../domain/detection.js';
import type { Database } from '../data-source.js';
import type { FlowRollupRow, TimelineRow } from '../entities/traffic.js';

const STEP_MS = 10_000;
const MAX_POINTS = 240;

export type TimelinePoint = TimelineRow;

export interface TrafficOverview {
  fromMs: number;
  toMs: number;
  stepSecs: number;
  protocols: { name: string; flows: number; packets: number; bytes: number }[];
  talkers: { address: string; flows: number; packets: number; bytes: number }[];
  offenders: { address: string; alerts: number; lastMs: number }[];
  labels: { label: string; alerts: number }[];
  severities: { severity: string; alerts: number }[];
  tiers: { tier: string; alerts: number; blocks: number }[];
  timeline: TimelinePoint[];
}

export interface StatisticsRepository {
  /** Adds counts to the 10-second step that holds `atMs`. */
  addTimeline(point: TimelinePoint): Promise<void>;
  addRollups(rows: readonly FlowRollupRow[]): Promise<void>;
  overview(minutes: number, nowMs: number): Promise<TrafficOverview>;
}

const COUNTS = ['packets', 'bytes', 'flows', 'kernelDrops', 'alerts', 'blocks'] as const;

/** Width of a step so that a chart has at most {@link MAX_POINTS} points. */
export function timelineStepMs(minutes: number): number {
  return Math.max(1, Math.ceil((minutes * 60_000) / MAX_POINTS / STEP_MS)) * STEP_MS;
}

export function createStatisticsRepository(db: Database): StatisticsRepository {
  const { alert, flowRollup, timeline } = db.entities;
  const count = (value: unknown): number => Number(value ?? 0);

  async function rollups(kind: string, sinceMs: number) {
    const found = await db.manager
      .createQueryBuilder(flowRollup, 'r')
      .select('r.name', 'name')
      .addSelect('SUM(r.flows)', 'flows')
      .addSelect('SUM(r.packets)', 'packets')
      .addSelect('SUM(r.bytes)', 'bytes')
      .where('r.atMs >= :sinceMs AND r.kind = :kind', { sinceMs, kind })
      .groupBy('r.name')
      .orderBy('SUM(r.bytes)', 'DESC')
      .limit(12)
      .getRawMany<Record<string, unknown>>();
    return found.map((row) => ({
      name: String(row['name']),
      flows: count(row['flows']),
      packets: count(row['packets']),
      bytes: count(row['bytes']),
    }));
  }

  /** Alerts by everything that has few values: one pass over an index that holds all of it. */
  async function alertGroups(sinceMs: number) {
    const found = await db.manager
      .createQueryBuilder(alert, 'a')
      .select(['a.label AS label', 'a.severity AS severity', 'a.tiers AS tiers', 'a.response AS response'])
      .addSelect('COUNT(*)', 'n')
      .where('a.lastMs >= :sinceMs', { sinceMs })
      .groupBy('a.label, a.severity, a.tiers, a.response')
      .getRawMany<Record<string, unknown>>();
    return found.map((row) => ({
      label: String(row['label']),
      severity: SEVERITIES[count(row['severity'])] ?? 'info',
      tiers: String(row['tiers']),
      blocked: row['response'] === 'blocked',
      alerts: count(row['n']),
    }));
  }

  async function topOffenders(sinceMs: number) {
    const found = await db.manager
      .createQueryBuilder(alert, 'a')
      .select('a.offender', 'address')
      .addSelect('COUNT(*)', 'n')
      .addSelect('MAX(a.lastMs)', 'last')
      .where('a.lastMs >= :sinceMs', { sinceMs })
      .groupBy('a.offender')
      .orderBy('COUNT(*)', 'DESC')
      .limit(10)
      .getRawMany<Record<string, unknown>>();
    return found.map((row) => ({
      address: String(row['address']),
      alerts: count(row['n']),
      lastMs: count(row['last']),
    }));
  }

  async function points(fromMs: number, toMs: number, stepMs: number): Promise<TimelinePoint[]> {
    const found = await db.manager.createQueryBuilder(timeline, 't').where('t.atMs >= :fromMs', { fromMs }).getMany();
    const first = fromMs - (fromMs % stepMs);
    const steps = new Map<number, TimelinePoint>();
    for (let atMs = first; atMs <= toMs; atMs += stepMs) steps.set(atMs, emptyPoint(atMs));
    for (const row of found) {
      const step = steps.get(row.atMs - (row.atMs % stepMs));
      if (step) for (const name of COUNTS) step[name] += row[name];
    }
    return [...steps.values()];
  }

  return {
    async addTimeline(point) {
      const atMs = point.atMs - (point.atMs % STEP_MS);
      await db.write(async (manager) => {
        await manager.createQueryBuilder().insert().into(timeline).values(emptyPoint(atMs)).orIgnore().execute();
        for (const name of COUNTS) if (point[name] > 0) await manager.increment(timeline, { atMs }, name, point[name]);
      });
    },
    async addRollups(rows) {
      if (rows.length === 0) return;
      await db.write((manager) =>
        manager
          .createQueryBuilder()
          .insert()
          .into(flowRollup)
          .values([...rows])
          .orUpdate(['flows', 'packets', 'bytes'], ['at_ms', 'kind', 'name'])
          .updateEntity(false)
          .execute(),
      );
    },
    async overview(minutes, nowMs) {
      const fromMs = nowMs - minutes * 60_000;
      const stepMs = timelineStepMs(minutes);
      const groups = await alertGroups(fromMs);
      const labels = sumBy(groups, (group) => group.label).slice(0, 12);
      const severities = sumBy(groups, (group) => group.severity);
      const tiers = TIERS.map((tier) => {
        const mine = groups.filter((group) => group.tiers.includes(`,${tier},`));
        return { tier, alerts: total(mine), blocks: total(mine.filter((group) => group.blocked)) };
      });
      return {
        fromMs,
        toMs: nowMs,
        stepSecs: stepMs / 1000,
        protocols: await rollups('protocol', fromMs),
        talkers: (await rollups('talker', fromMs)).map(({ name, ...sums }) => ({ address: name, ...sums })),
        offenders: await topOffenders(fromMs),
        labels: labels.map(([label, alerts]) => ({ label, alerts })),
        severities: severities.map(([severity, alerts]) => ({ severity, alerts })),
        tiers,
        timeline: await points(fromMs, nowMs, stepMs),
      };
    },
  };
}

const total = (groups: readonly { alerts: number }[]): number => groups.reduce((n, group) => n + group.alerts, 0);

/** Sums by a name, largest first. */
function sumBy<G extends { alerts: number }>(groups: readonly G[], nameOf: (group: G) => string): [string, number][] {
  const sums = new Map<string, number>();
  for (const group of groups) sums.set(nameOf(group), (sums.get(nameOf(group)) ?? 0) + group.alerts);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function emptyPoint(atMs: number): TimelinePoint {
  return { atMs, packets: 0, bytes: 0, flows: 0, kernelDrops: 0, alerts: 0, blocks: 0 };
}
