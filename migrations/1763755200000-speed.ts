import { createHash } from 'node:crypto';
import { TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createTables, dropTables, type TableSpec } from './table-builder.js';

const TABLES: readonly TableSpec[] = [
  { name: 'alert_bodies', columns: { id: 'varchar(36) primary', body: 'json', verdict: 'json' } },
  { name: 'alert_texts', columns: { id: 'bigint primary', text: 'varchar(512)' } },
  {
    name: 'rollups',
    columns: {
      kind: 'varchar(16) primary',
      at_ms: 'bigint primary',
      name: 'varchar(128) primary',
      flows: 'bigint',
      packets: 'bigint',
      bytes: 'bigint',
      alerts: 'bigint',
      last_ms: 'bigint',
    },
    indices: { rollups_time: ['at_ms'] },
  },
  {
    name: 'host_hours',
    columns: {
      address: 'varchar(45) primary',
      at_ms: 'bigint primary',
      flows: 'bigint',
      bytes_in: 'bigint',
      bytes_out: 'bigint',
      peers: 'integer',
      last_ms: 'bigint',
    },
    indices: { host_hours_time: ['at_ms'] },
  },
];
const OLD_ROLLUPS: TableSpec = {
  name: 'flow_rollups',
  columns: {
    at_ms: 'bigint primary',
    kind: 'varchar(16) primary',
    name: 'varchar(45) primary',
    flows: 'bigint',
    packets: 'bigint',
    bytes: 'bigint',
  },
};
const NARROW = {
  id: 'varchar(36) primary',
  alert_key: 'varchar(255)',
  incident_id: 'varchar(36)',
  sensor: 'varchar(64)',
  title: 'varchar(255)',
  label: 'varchar(128)',
  category: 'varchar(128)',
  tiers: 'varchar(80)',
  severity: 'integer',
  score: 'double',
  confidence: 'double',
  offender: 'varchar(45)',
  offender_key: 'varchar(32)',
  peer_key: 'varchar(32)',
  src_port: 'integer',
  dst_port: 'integer',
  proto: 'integer',
  signature_id: 'bigint',
  first_ms: 'bigint',
  last_ms: 'bigint',
  state: 'varchar(16)',
  response: 'varchar(16)',
  label_verdict: 'varchar(16)',
} as const;
const BY_TIME = {
  alerts_time: ['last_ms', 'id'],
  alerts_state: ['state', 'last_ms', 'id'],
  alerts_label: ['label', 'last_ms', 'id'],
  alerts_severity: ['severity', 'last_ms', 'id'],
  alerts_response: ['response', 'last_ms', 'id'],
  alerts_offender: ['offender_key', 'last_ms', 'id'],
  alerts_peer: ['peer_key', 'last_ms', 'id'],
  alerts_port: ['dst_port', 'last_ms', 'id'],
  alerts_incident: ['incident_id', 'last_ms', 'id'],
};
const OVERVIEW = { alerts_overview: ['last_ms', 'label', 'severity', 'tiers', 'response', 'offender'] };
const OLD_ALERTS: TableSpec = {
  name: 'alerts',
  columns: { ...NARROW, search: 'varchar(512)', body: 'json', verdict: 'json' },
  indices: { ...BY_TIME, ...OVERVIEW },
};
const NEW_ALERTS: TableSpec = {
  name: 'alerts',
  columns: { ...NARROW, text_id: 'bigint' },
  indices: {
    ...BY_TIME,
    alerts_text: ['text_id', 'last_ms', 'id'],
    alerts_signature: ['signature_id', 'last_ms', 'id'],
  },
};
const FLOW_INDICES = { flows_app: ['app_proto', 'end_ms', 'id'], flows_community: ['community_id', 'end_ms', 'id'] };
const COLUMNS = Object.keys(NARROW).join(', ');

/** As `textKey` of the store made it when this migration was written. */
function textKey(text: string): number {
  return Number.parseInt(createHash('sha256').update(text).digest('hex').slice(0, 12), 16);
}

/** Puts the alerts aside under another name; their indices go, so that the names are free. */
async function putAside(runner: QueryRunner, spec: TableSpec): Promise<void> {
  for (const name of Object.keys(spec.indices ?? {})) await runner.dropIndex('alerts', name);
  await runner.query('ALTER TABLE alerts RENAME TO alerts_before');
}

/**
 * Lists and searches stay fast with millions of rows: bodies and words of alerts move to tables of their own, sums by
 * minute and hour replace the sums over alerts.
 */
export class Speed1763755200000 implements MigrationInterface {
  readonly name = 'Speed1763755200000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, TABLES);
    await runner.query('INSERT INTO alert_bodies (id, body, verdict) SELECT id, body, verdict FROM alerts');
    const texts = (await runner.query('SELECT DISTINCT search AS text FROM alerts')) as { text: string }[];
    for (const { text } of texts) {
      await runner.query('INSERT INTO alert_texts (id, text) VALUES (?, ?)', [textKey(text), text]);
    }
    await putAside(runner, OLD_ALERTS);
    await createTables(runner, [NEW_ALERTS]);
    await runner.query(
      `INSERT INTO alerts (${COLUMNS}, text_id)
       SELECT ${COLUMNS}, (SELECT t.id FROM alert_texts t WHERE t.text = b.search) FROM alerts_before b`,
    );
    await runner.query('DROP TABLE alerts_before');
    await runner.query(
      `INSERT INTO rollups (kind, at_ms, name, flows, packets, bytes, alerts, last_ms)
       SELECT kind, at_ms, name, flows, packets, bytes, 0, at_ms FROM flow_rollups`,
    );
    await runner.dropTable(OLD_ROLLUPS.name);
    for (const [name, columnNames] of Object.entries(FLOW_INDICES)) {
      await runner.createIndex('flows', new TableIndex({ name, columnNames }));
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of Object.keys(FLOW_INDICES)) await runner.dropIndex('flows', name);
    await createTables(runner, [OLD_ROLLUPS]);
    await putAside(runner, NEW_ALERTS);
    await createTables(runner, [OLD_ALERTS]);
    const of = (column: string, table: string, key: string): string =>
      `(SELECT x.${column} FROM ${table} x WHERE x.id = b.${key})`;
    await runner.query(
      `INSERT INTO alerts (${COLUMNS}, search, body, verdict)
       SELECT ${COLUMNS}, ${of('text', 'alert_texts', 'text_id')}, ${of('body', 'alert_bodies', 'id')},
              ${of('verdict', 'alert_bodies', 'id')} FROM alerts_before b`,
    );
    await runner.query('DROP TABLE alerts_before');
    await dropTables(runner, TABLES);
  }
}
