import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

export interface AlertRow {
  id: string;
  alertKey: string;
  incidentId: string;
  sensor: string;
  title: string;
  label: string;
  category: string;
  /** Comma-fenced: `,signature,behaviour,`. */
  tiers: string;
  severity: number;
  score: number;
  confidence: number;
  offender: string;
  offenderKey: string;
  peerKey: string;
  srcPort: number;
  dstPort: number;
  proto: number;
  signatureId: number;
  firstMs: number;
  lastMs: number;
  state: string;
  response: string;
  /** Empty while nobody has judged it. */
  labelVerdict: string;
  /** Lower-cased words for free-text search. */
  search: string;
  /** The whole alert as JSON. */
  body: string;
  /** The policy verdict as JSON, or empty. */
  verdict: string;
}

/** Columns that the correlator may change on an alert that is already stored; the rest belongs to people. */
export const ALERT_GROWS = [
  'title',
  'tiers',
  'severity',
  'score',
  'confidence',
  'incidentId',
  'lastMs',
  'search',
  'body',
] as const satisfies (keyof AlertRow)[];

export const alertEntity = (kind: StoreKind): EntitySchema<AlertRow> =>
  new EntitySchema<AlertRow>({
    name: 'alert',
    tableName: 'alerts',
    columns: {
      id: columns.id,
      alertKey: columns.text(255),
      incidentId: columns.ref,
      sensor: columns.text(64),
      title: columns.text(255),
      label: columns.text(128),
      category: columns.text(128),
      tiers: columns.text(80),
      severity: columns.int,
      score: columns.real,
      confidence: columns.real,
      offender: columns.text(45),
      offenderKey: columns.addressKey,
      peerKey: columns.addressKey,
      srcPort: columns.int,
      dstPort: columns.int,
      proto: columns.int,
      signatureId: columns.big,
      firstMs: columns.big,
      lastMs: columns.big,
      state: columns.text(16),
      response: columns.text(16),
      labelVerdict: columns.text(16),
      search: columns.text(512),
      body: columns.json(kind),
      verdict: columns.json(kind),
    },
    indices: [
      { name: 'alerts_time', columns: ['lastMs', 'id'] },
      // Holds all that the overview adds up, so that it never reads the wide rows.
      { name: 'alerts_overview', columns: ['lastMs', 'label', 'severity', 'tiers', 'response', 'offender'] },
      { name: 'alerts_state', columns: ['state', 'lastMs', 'id'] },
      { name: 'alerts_label', columns: ['label', 'lastMs', 'id'] },
      { name: 'alerts_severity', columns: ['severity', 'lastMs', 'id'] },
      { name: 'alerts_response', columns: ['response', 'lastMs', 'id'] },
      { name: 'alerts_offender', columns: ['offenderKey', 'lastMs', 'id'] },
      { name: 'alerts_peer', columns: ['peerKey', 'lastMs', 'id'] },
      { name: 'alerts_port', columns: ['dstPort', 'lastMs', 'id'] },
      { name: 'alerts_incident', columns: ['incidentId', 'lastMs', 'id'] },
    ],
  });
