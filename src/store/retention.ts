import type { Database } from './data-source.js';
import type { StoreOptions } from './options.js';

export interface RetentionResult {
  /** Rows deleted by table. */
  deleted: Record<string, number>;
}

interface Rule {
  table: string;
  column: string;
  days: number;
  /** Further condition for what may go. */
  extra?: string;
  /** Primary key, for deletes in chunks. */
  key: string;
  /** Table with further columns of the same rows. */
  also?: string;
}

const MINUTE_DAYS = 2;

/**
 * Deletes what is older than its retention, in chunks with pauses between them so that writers and the event loop
 * get their turn; gives a little of the freed space back each time.
 */
export async function applyRetention(
  db: Database,
  options: StoreOptions['retention'],
  nowMs: number,
): Promise<RetentionResult> {
  const ended = "AND enforcement NOT IN ('pending', 'applied')";
  const rules: Rule[] = [
    { table: 'flows', column: 'end_ms', days: options.flowDays, key: 'id' },
    { table: 'alerts', column: 'last_ms', days: options.alertDays, key: 'id', also: 'alert_bodies' },
    { table: 'incidents', column: 'last_ms', days: options.alertDays, key: 'id' },
    { table: 'decisions', column: 'created_ms', days: options.decisionDays, key: 'id', extra: ended },
    { table: 'decision_history', column: 'at_ms', days: options.decisionDays, key: 'id' },
    { table: 'response_requests', column: 'at_ms', days: options.decisionDays, key: 'key_hash' },
    { table: 'flow_samples', column: 'at_ms', days: options.sampleDays, key: 'id' },
    { table: 'timeline', column: 'at_ms', days: options.timelineDays, key: 'at_ms' },
    { table: 'rollups', column: 'at_ms', days: options.timelineDays, key: 'at_ms' },
    { table: 'host_hours', column: 'at_ms', days: options.timelineDays, key: 'at_ms' },
    // The overview reads minutes for a few hours only; beyond it reads the sums of hours.
    { table: 'rollups', column: 'at_ms', days: MINUTE_DAYS, key: 'at_ms', extra: "AND kind NOT LIKE '%:h'" },
  ];
  const deleted: Record<string, number> = {};
  for (const rule of rules) {
    if (rule.days > 0)
      deleted[rule.table] = await deleteOlder(db, rule, nowMs - rule.days * 86_400_000, options.chunkRows);
  }
  for (const [table, parent, column] of [
    ['decision_alerts', 'decisions', 'decision_id'],
    ['incident_comments', 'incidents', 'incident_id'],
  ] as const) {
    const orphan = `SELECT 1 FROM ${parent} p WHERE p.id = ${table}.${column}`;
    await db.write((manager) => manager.query(`DELETE FROM ${table} WHERE NOT EXISTS (${orphan})`));
  }
  if (db.kind === 'sqlite') await db.manager.query('PRAGMA incremental_vacuum(2000)');
  return { deleted };
}

async function deleteOlder(db: Database, rule: Rule, beforeMs: number, chunkRows: number): Promise<number> {
  const select = `SELECT ${rule.key} AS k FROM ${rule.table} WHERE ${rule.column} < ? ${rule.extra ?? ''} ORDER BY ${rule.column} LIMIT ?`;
  let total = 0;
  for (;;) {
    const found = (await db.manager.query(select, [beforeMs, chunkRows])) as { k: string | number }[];
    if (found.length === 0) return total;
    const keys = [...new Set(found.map((row) => row.k))];
    const marks = keys.map(() => '?').join(',');
    await db.write(async (manager) => {
      const extra = rule.extra ?? '';
      await manager.query(`DELETE FROM ${rule.table} WHERE ${rule.key} IN (${marks}) ${extra}`, keys);
      if (rule.also !== undefined)
        await manager.query(`DELETE FROM ${rule.also} WHERE ${rule.key} IN (${marks})`, keys);
    });
    total += found.length;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
