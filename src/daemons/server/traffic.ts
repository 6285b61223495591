import type { Alert } from '../../domain/alert.js';
import type { Decision } from '../../domain/decision.js';
import type { FlowRecord } from '../../domain/flow.js';
import type { Overview, TimelinePoint } from '../../contract/http.js';

const STEP_SECS = 10;
/** One week of ten-second steps: 7 columns of 60,480 numbers, 3.4 MB. */
const STEPS = (7 * 86400) / STEP_SECS;
const MAX_KEYS = 2000;
const COLUMNS = ['packets', 'bytes', 'flows', 'kernelDrops', 'alerts', 'blocks'] as const;
type Column = (typeof COLUMNS)[number];

const PROTO_NAMES: Readonly<Record<number, string>> = {
  1: 'icmp',
  6: 'tcp',
  17: 'udp',
  47: 'gre',
  50: 'esp',
  58: 'icmpv6',
  132: 'sctp',
};

/** Live statistics of the server: a timeline of one week and bounded tables of who and what since the hour began. */
export interface TrafficStats {
  /** Cumulative counters of one sensor; the difference to its last report is added to the timeline. */
  sensor(name: string, counters: { packets: number; bytes: number; kernelDrops: number }, nowMs: number): void;
  flow(flow: FlowRecord, nowMs: number): void;
  alert(alert: Alert, isNew: boolean, nowMs: number): void;
  block(decision: Decision, tiers: readonly string[], nowMs: number): void;
  overview(minutes: number, nowMs: number): Overview;
  /** The step that holds this moment. */
  point(nowMs: number): TimelinePoint;
  alertsSince(fromMs: number, nowMs: number): number;
}

interface Tally {
  flows: number;
  packets: number;
  bytes: number;
}

export function createTrafficStats(): TrafficStats {
  const step = new Float64Array(STEPS);
  const data = Object.fromEntries(COLUMNS.map((c) => [c, new Float64Array(STEPS)])) as Record<Column, Float64Array>;
  const lastSeen = new Map<string, { packets: number; bytes: number; kernelDrops: number }>();
  // Two generations: the table of the running half hour and the one before it, so that old talkers fade.
  let generation = 0;
  let recent = newTables();
  let before = newTables();

  function newTables() {
    return {
      protocols: new Map<string, Tally>(),
      talkers: new Map<string, Tally>(),
      offenders: new Map<string, { alerts: number; lastMs: number }>(),
      labels: new Map<string, number>(),
      severities: new Map<string, number>(),
      tiers: new Map<string, { alerts: number; blocks: number }>(),
    };
  }

  function rotate(nowMs: number): void {
    const now = Math.floor(nowMs / 1_800_000);
    if (now === generation) return;
    before = now === generation + 1 ? recent : newTables();
    recent = newTables();
    generation = now;
  }

  function add(column: Column, n: number, nowMs: number): void {
    const s = Math.floor(nowMs / 1000 / STEP_SECS);
    const i = s % STEPS;
    if (step[i] !== s) {
      step[i] = s;
      for (const c of COLUMNS) data[c][i] = 0;
    }
    data[column][i]! += n;
  }

  function tally(table: Map<string, Tally>, key: string, packets: number, bytes: number): void {
    const t = table.get(key);
    if (t) {
      t.flows++;
      t.packets += packets;
      t.bytes += bytes;
    } else if (table.size < MAX_KEYS) table.set(key, { flows: 1, packets, bytes });
    else evictSmallest(table);
  }

  function sumColumns(fromStep: number, toStep: number): TimelinePoint {
    const p: TimelinePoint = {
      atMs: fromStep * STEP_SECS * 1000,
      packets: 0,
      bytes: 0,
      flows: 0,
      kernelDrops: 0,
      alerts: 0,
      blocks: 0,
    };
    for (let s = fromStep; s < toStep; s++) {
      const i = s % STEPS;
      if (step[i] === s) for (const c of COLUMNS) p[c] += data[c][i]!;
    }
    return p;
  }

  return {
    sensor(name, counters, nowMs) {
      const last = lastSeen.get(name);
      lastSeen.set(name, { ...counters });
      for (const c of ['packets', 'bytes', 'kernelDrops'] as const) {
        // A counter below its last value means that the sensor started anew.
        add(c, last && counters[c] >= last[c] ? counters[c] - last[c] : counters[c], nowMs);
      }
    },
    flow(flow, nowMs) {
      rotate(nowMs);
      add('flows', 1, nowMs);
      const packets = flow.packetsFwd + flow.packetsBwd;
      const bytes = flow.bytesFwd + flow.bytesBwd;
      tally(recent.protocols, flow.appProto ?? PROTO_NAMES[flow.proto] ?? `ip/${flow.proto}`, packets, bytes);
      tally(recent.talkers, flow.srcIp, packets, bytes);
      tally(recent.talkers, flow.dstIp, packets, bytes);
    },
    alert(alert, isNew, nowMs) {
      rotate(nowMs);
      if (!isNew) return;
      add('alerts', 1, nowMs);
      bump(recent.labels, alert.label);
      bump(recent.severities, alert.severity);
      for (const tier of alert.tiers) tierOf(recent.tiers, tier).alerts++;
      const o = recent.offenders.get(alert.offender);
      if (o) {
        o.alerts++;
        o.lastMs = nowMs;
      } else if (recent.offenders.size < MAX_KEYS) recent.offenders.set(alert.offender, { alerts: 1, lastMs: nowMs });
    },
    block(_decision, tiers, nowMs) {
      rotate(nowMs);
      add('blocks', 1, nowMs);
      for (const tier of tiers) tierOf(recent.tiers, tier).blocks++;
    },
    overview(minutes, nowMs) {
      rotate(nowMs);
      const points = Math.min(180, (minutes * 60) / STEP_SECS);
      const width = Math.max(1, Math.round((minutes * 60) / STEP_SECS / points));
      const end = Math.floor(nowMs / 1000 / STEP_SECS) + 1;
      const first = end - points * width;
      const timeline = Array.from({ length: points }, (_, i) => sumColumns(first + i * width, first + (i + 1) * width));
      const both = [recent, before];
      return {
        fromMs: first * STEP_SECS * 1000,
        toMs: nowMs,
        stepSecs: width * STEP_SECS,
        protocols: top(mergeTallies(both.map((t) => t.protocols)), 12).map(([name, t]) => ({ name, ...t })),
        talkers: top(mergeTallies(both.map((t) => t.talkers)), 12).map(([address, t]) => ({ address, ...t })),
        offenders: mergeOffenders(both.map((t) => t.offenders)),
        labels: mergeCounts(both.map((t) => t.labels)).map(([label, alerts]) => ({ label, alerts })),
        severities: mergeCounts(both.map((t) => t.severities)).map(([severity, alerts]) => ({ severity, alerts })),
        tiers: mergeTiers(both.map((t) => t.tiers)),
        timeline,
      };
    },
    point(nowMs) {
      const s = Math.floor(nowMs / 1000 / STEP_SECS);
      return sumColumns(s, s + 1);
    },
    alertsSince(fromMs, nowMs) {
      return sumColumns(Math.floor(fromMs / 1000 / STEP_SECS), Math.floor(nowMs / 1000 / STEP_SECS) + 1).alerts;
    },
  };
}

/** Makes room by dropping the smallest tenth; heavy talkers stay. */
function evictSmallest(table: Map<string, Tally>): void {
  const sorted = [...table].sort((a, b) => a[1].bytes - b[1].bytes);
  for (const [key] of sorted.slice(0, MAX_KEYS / 10)) table.delete(key);
}

function bump(table: Map<string, number>, key: string): void {
  if (table.has(key) || table.size < MAX_KEYS) table.set(key, (table.get(key) ?? 0) + 1);
}

function tierOf(
  table: Map<string, { alerts: number; blocks: number }>,
  tier: string,
): { alerts: number; blocks: number } {
  const found = table.get(tier) ?? { alerts: 0, blocks: 0 };
  table.set(tier, found);
  return found;
}

function mergeTallies(tables: readonly Map<string, Tally>[]): Map<string, Tally> {
  const all = new Map<string, Tally>();
  for (const table of tables) {
    for (const [key, t] of table) {
      const have = all.get(key);
      all.set(
        key,
        have ? { flows: have.flows + t.flows, packets: have.packets + t.packets, bytes: have.bytes + t.bytes } : t,
      );
    }
  }
  return all;
}

function top(table: Map<string, Tally>, n: number): [string, Tally][] {
  return [...table].sort((a, b) => b[1].bytes - a[1].bytes).slice(0, n);
}

function mergeCounts(tables: readonly Map<string, number>[]): [string, number][] {
  const all = new Map<string, number>();
  for (const table of tables) for (const [key, n] of table) all.set(key, (all.get(key) ?? 0) + n);
  return [...all].sort((a, b) => b[1] - a[1]).slice(0, 20);
}

function mergeOffenders(tables: readonly Map<string, { alerts: number; lastMs: number }>[]): Overview['offenders'] {
  const all = new Map<string, { alerts: number; lastMs: number }>();
  for (const table of tables) {
    for (const [key, o] of table) {
      const have = all.get(key);
      all.set(key, have ? { alerts: have.alerts + o.alerts, lastMs: Math.max(have.lastMs, o.lastMs) } : o);
    }
  }
  return [...all]
    .map(([address, o]) => ({ address, ...o }))
    .sort((a, b) => b.alerts - a.alerts)
    .slice(0, 12);
}

function mergeTiers(tables: readonly Map<string, { alerts: number; blocks: number }>[]): Overview['tiers'] {
  const all = new Map<string, { alerts: number; blocks: number }>();
  for (const table of tables) {
    for (const [tier, n] of table) {
      const have = tierOf(all, tier);
      have.alerts += n.alerts;
      have.blocks += n.blocks;
    }
  }
  return [...all].map(([tier, n]) => ({ tier, ...n }));
}
