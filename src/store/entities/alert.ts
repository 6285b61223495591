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
  /** Key of its words in `alert_texts`. */
  textId: number;
}

/** What is read of single alerts only, apart so that lists walk over narrow rows. */
export interface AlertBodyRow {
  id: string;
  /** The whole alert as JSON. */
  body: string;
  /** The policy verdict as JSON, or empty. */
  verdict: string;
}

/**
 * The words of alerts, each text once: titles, labels and sensors repeat, so that a free-text search looks through a few
 * thousand texts instead of a million alerts.
 */
export interface AlertTextRow {
  id: number;
  /** Lower case. */
  text: string;
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
  'textId',
] as const satisfies (keyof AlertRow)[];

export const alertEntity = (): EntitySchema<AlertRow> =>
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
      textId: columns.big,
    },
    indices: [
      { name: 'alerts_time', columns: ['lastMs', 'id'] },
      { name: 'alerts_state', columns: ['state', 'lastMs', 'id'] },
      { name: 'alerts_label', columns: ['label', 'lastMs', 'id'] },
      { name: 'alerts_severity', columns: ['severity', 'lastMs', 'id'] },
      { name: 'alerts_response', columns: ['response', 'lastMs', 'id'] },
      { name: 'alerts_offender', columns: ['offenderKey', 'lastMs', 'id'] },
      { name: 'alerts_peer', columns: ['peerKey', 'lastMs', 'id'] },
      { name: 'alerts_port', columns: ['dstPort', 'lastMs', 'id'] },
      { name: 'alerts_src_port', columns: ['srcPort', 'lastMs', 'id'] },
      { name: 'alerts_incident', columns: ['incidentId', 'lastMs', 'id'] },
      { name: 'alerts_text', columns: ['textId', 'lastMs', 'id'] },
      { name: 'alerts_signature', columns: ['signatureId', 'lastMs', 'id'] },
    ],
  });

export const alertBodyEntity = (kind: StoreKind): EntitySchema<AlertBodyRow> =>
  new EntitySchema<AlertBodyRow>({
    name: 'alertBody',
    tableName: 'alert_bodies',
    columns: { id: columns.id, body: columns.json(kind), verdict: columns.json(kind) },
  });

export const alertTextEntity = (): EntitySchema<AlertTextRow> =>
  new EntitySchema<AlertTextRow>({
    name: 'alertText',
    tableName: 'alert_texts',
    columns: { id: { ...columns.big, primary: true }, text: columns.text(512) },
  });
