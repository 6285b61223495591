import type { Alert } from '../domain/alert.js';
import type { Severity } from '../domain/severity.js';
import type { RollupRow } from './entities/traffic.js';
import type { AlertResponse } from './map-alert.js';

const MINUTE_MS = 60_000;
/** Alerts remembered so that each is counted once however often it grows. */
const MAX_KNOWN = 50_000;
/** Offenders counted between two writes; the first to come stay. */
const MAX_OFFENDERS = 2000;
const TOP_OFFENDERS = 100;

interface Known {
  tiers: Set<string>;
  severity: Severity;
  blocked: boolean;
}

/** Adds new alerts up by minute: label, severity, tier, tier that led to a block, offender. */
export interface AlertRollup {
  add(alert: Alert, response: AlertResponse | undefined): void;
  /** A response that came after the alert. */
  respond(ids: readonly string[], response: AlertResponse): void;
  /** What has been counted since the last call. */
  take(): RollupRow[];
}

export function createAlertRollup(): AlertRollup {
  const known = new Map<string, Known>();
  let counts = new Map<string, RollupRow>();
  let offenders = 0;
  let newestMs = 0;

  function count(kind: string, name: string, atMs: number, n = 1): void {
    const minuteMs = atMs - (atMs % MINUTE_MS);
    const key = `${kind} ${minuteMs} ${name}`;
    let row = counts.get(key);
    if (!row) {
      if (kind === 'offender' && ++offenders > MAX_OFFENDERS) return;
      row = { kind, atMs: minuteMs, name: name.slice(0, 128), flows: 0, packets: 0, bytes: 0, alerts: 0, lastMs: 0 };
      counts.set(key, row);
    }
    row.alerts += n;
    row.lastMs = Math.max(row.lastMs, atMs);
  }

  function remember(id: string, entry: Known): void {
    if (known.size >= MAX_KNOWN) {
      const oldest = known.keys().next().value;
      if (oldest !== undefined) known.delete(oldest);
    }
    known.set(id, entry);
  }

  function block(entry: Known, atMs: number): void {
    if (entry.blocked) return;
    entry.blocked = true;
    for (const tier of entry.tiers) count('tier_block', tier, atMs);
  }

  return {
    add(alert, response) {
      const { id, lastMs: atMs } = alert;
      newestMs = Math.max(newestMs, atMs);
      let entry = known.get(id);
      if (!entry) {
        entry = { tiers: new Set(), severity: alert.severity, blocked: false };
        remember(id, entry);
        count('label', alert.label, atMs);
        count('severity', alert.severity, atMs);
        count('offender', alert.offender, atMs);
      } else if (entry.severity !== alert.severity) {
        count('severity', entry.severity, atMs, -1);
        count('severity', alert.severity, atMs);
        entry.severity = alert.severity;
      }
      for (const tier of alert.tiers) {
        if (entry.tiers.has(tier)) continue;
        entry.tiers.add(tier);
        count('tier', tier, atMs);
        if (entry.blocked) count('tier_block', tier, atMs);
      }
      if (response === 'blocked') block(entry, atMs);
    },
    respond(ids, response) {
      if (response !== 'blocked') return;
      for (const id of ids) {
        const entry = known.get(id);
        if (entry) block(entry, newestMs);
      }
    },
    take() {
      const rows = [...counts.values()];
      counts = new Map();
      offenders = 0;
      const top = rows.filter((row) => row.kind === 'offender').sort((a, b) => b.alerts - a.alerts);
      return [...rows.filter((row) => row.kind !== 'offender'), ...top.slice(0, TOP_OFFENDERS)];
    },
  };
}
