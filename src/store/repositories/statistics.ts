import { TIERS } from '../../domain/detection.js';
import type { Database } from '../data-source.js';
import type { RollupRow, TimelineRow } from '../entities/traffic.js';

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
  /** Adds counts to the 10-second step that holds `atMs`; never waits for the database. */
  addTimeline(point: TimelinePoint): Promise<void>;
  addRollups(rows: readonly RollupRow[]): Promise<void>;
  overview(minutes: number, nowMs: number): Promise<TrafficOverview>;
}

const COUNTS = ['packets', 'bytes', 'flows', 'kernelDrops', 'alerts', 'blocks'] as const;
const COLUMNS = {
  packets: 'packets',
  bytes: 'bytes',
  flows: 'flows',
  kernelDrops: 'kernel_drops',
  alerts: 'alerts',
  blocks: 'blocks',
} as const;

/** Width of a step so that a chart has at most {@link MAX_POINTS} points. */
export function timelineStepMs(minutes: number): number {
  return Math.max(1, Math.ceil((minutes * 60_000) / MAX_POINTS / STEP_MS)) * STEP_MS;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** Longer spans are read from the sums of hours. */
const MAX_MINUTES = 180;
const SUMS = ['flows', 'packets', 'bytes', 'alerts'] as const;

/** The same sums for the hours they lie in. */
function withHours(rows: readonly RollupRow[]): RollupRow[] {
  const hours = new Map<string, RollupRow>();
  for (const row of rows) {
    const atMs = row.atMs - (row.atMs % HOUR_MS);
    const key = `${row.kind} ${atMs} ${row.name}`;
    const hour = hours.get(key);
    if (!hour) {
      hours.set(key, { ...row, kind: `${row.kind}:h`, atMs });
      continue;
    }
    for (const name of SUMS) hour[name] += row[name];
    hour.lastMs = Math.max(hour.lastMs, row.lastMs);
  }
  return [...rows, ...hours.values()];
}

const ROWS_A_STATEMENT = 200;

/** Adds points to the steps that hold them. */
export async function writeTimeline(db: Database, points: readonly TimelinePoint[]): Promise<void> {
  const steps = new Map<number, TimelinePoint>();
  for (const point of points) {
    const atMs = point.atMs - (point.atMs % STEP_MS);
    const step = steps.get(atMs) ?? emptyPoint(atMs);
    for (const name of COUNTS) step[name] += point[name];
    steps.set(atMs, step);
  }
  const { timeline } = db.entities;
  await db.write(async (manager) => {
    for (const [atMs, step] of steps) {
      await manager.createQueryBuilder().insert().into(timeline).values(emptyPoint(atMs)).orIgnore().execute();
      for (const name of COUNTS) if (step[name] > 0) await manager.increment(timeline, { atMs }, name, step[name]);
    }
  });
}

interface Waiting {
  push(point: TimelinePoint): boolean;
  /** Writes what was counted in memory since the last time, so that an overview is complete. */
  fresh(): Promise<void>;
}

export function createStatisticsRepository(db: Database, { push, fresh }: Waiting): StatisticsRepository {
  const number = (value: unknown): number => Number(value ?? 0);
  const quote = (name: string): string => (db.kind === 'mysql' ? `\`${name}\`` : `"${name}"`);

  /** Largest sums of a kind since a time. */
  async function top(kind: string, span: { fromMs: number; hours: boolean }, by: 'bytes' | 'alerts', limit: number) {
    const stepMs = span.hours ? HOUR_MS : MINUTE_MS;
    const sums = SUMS.map((name) => `SUM(${name}) AS ${name}`).join(', ');
    const found = (await db.manager.query(
      `SELECT name, ${sums}, MAX(last_ms) AS last FROM rollups WHERE kind = ? AND at_ms > ? GROUP BY name ORDER BY SUM(${by}) DESC, name LIMIT ${limit}`,
      [span.hours ? `${kind}:h` : kind, span.fromMs - stepMs],
    )) as Record<string, unknown>[];
    return found.map((row) => ({
      name: String(row['name']),
      flows: number(row['flows']),
      packets: number(row['packets']),
      bytes: number(row['bytes']),
      alerts: number(row['alerts']),
      lastMs: number(row['last']),
    }));
  }

  async function points(fromMs: number, toMs: number, stepMs: number): Promise<TimelinePoint[]> {
    const sums = COUNTS.map((name) => `SUM(${COLUMNS[name]}) AS ${quote(name)}`).join(', ');
    const found = (await db.manager.query(
      `SELECT at_ms - at_ms % ${stepMs} AS step, ${sums} FROM timeline WHERE at_ms >= ? GROUP BY at_ms - at_ms % ${stepMs}`,
      [fromMs],
    )) as Record<string, unknown>[];
    const first = fromMs - (fromMs % stepMs);
    const steps = new Map<number, TimelinePoint>();
    for (let atMs = first; atMs <= toMs; atMs += stepMs) steps.set(atMs, emptyPoint(atMs));
    for (const row of found) {
      const step = steps.get(number(row['step']));
      if (step) for (const name of COUNTS) step[name] += number(row[name]);
    }
    return [...steps.values()];
  }

  return {
    addTimeline(point) {
      push(point);
      return Promise.resolve();
    },
    async addRollups(rows) {
      if (rows.length === 0) return;
      const all = withHours(rows);
      await db.write(async (manager) => {
        for (let at = 0; at < all.length; at += ROWS_A_STATEMENT) {
          const part = all.slice(at, at + ROWS_A_STATEMENT);
          const values = part.flatMap((r) => [r.kind, r.atMs, r.name, r.flows, r.packets, r.bytes, r.alerts, r.lastMs]);
          await manager.query(addSql(db.kind, part.length), values);
        }
      });
    },
    async overview(minutes, nowMs) {
      await fresh();
      const fromMs = nowMs - minutes * 60_000;
      const stepMs = timelineStepMs(minutes);
      const span = { fromMs, hours: minutes > MAX_MINUTES };
      const flowsOf = async (kind: string) =>
        (await top(kind, span, 'bytes', 12)).map(({ name, flows, packets, bytes }) => ({
          name,
          flows,
          packets,
          bytes,
        }));
      const alertsOf = async (kind: string, limit: number) =>
        (await top(kind, span, 'alerts', limit)).filter(({ alerts }) => alerts > 0);
      const [tiers, blocks] = [await alertsOf('tier', 20), await alertsOf('tier_block', 20)];
      const sumOf = (rows: { name: string; alerts: number }[], tier: string): number =>
        rows.find(({ name }) => name === tier)?.alerts ?? 0;
      return {
        fromMs,
        toMs: nowMs,
        stepSecs: stepMs / 1000,
        protocols: await flowsOf('protocol'),
        talkers: (await flowsOf('talker')).map(({ name, ...sums }) => ({ address: name, ...sums })),
        offenders: (await alertsOf('offender', 10)).map(({ name, alerts, lastMs }) => ({
          address: name,
          alerts,
          lastMs,
        })),
        labels: (await alertsOf('label', 12)).map(({ name, alerts }) => ({ label: name, alerts })),
        severities: (await alertsOf('severity', 10)).map(({ name, alerts }) => ({ severity: name, alerts })),
        tiers: TIERS.map((tier) => ({ tier, alerts: sumOf(tiers, tier), blocks: sumOf(blocks, tier) })),
        timeline: await points(fromMs, nowMs, stepMs),
      };
    },
  };
}

/** Adds to the sums that exist. */
function addSql(kind: Database['kind'], rows: number): string {
  const columns = ['kind', 'at_ms', 'name', 'flows', 'packets', 'bytes', 'alerts', 'last_ms'];
  const values = Array.from({ length: rows }, () => `(${columns.map(() => '?').join(',')})`).join(',');
  const insert = `INSERT INTO rollups (${columns.join(',')}) VALUES ${values}`;
  return kind === 'mysql'
    ? `${insert} ON DUPLICATE KEY UPDATE ${SUMS.map((c) => `${c}=${c}+VALUES(${c})`).join(',')}, last_ms=GREATEST(last_ms, VALUES(last_ms))`
    : `${insert} ON CONFLICT(kind, at_ms, name) DO UPDATE SET ${SUMS.map((c) => `${c}=${c}+excluded.${c}`).join(',')}, last_ms=max(last_ms, excluded.last_ms)`;
}

function emptyPoint(atMs: number): TimelinePoint {
  return { atMs, packets: 0, bytes: 0, flows: 0, kernelDrops: 0, alerts: 0, blocks: 0 };
}
