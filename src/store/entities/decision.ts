import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

export interface DecisionRow {
  id: string;
  action: string;
  scope: string;
  value: string;
  /** First and last address of the value. */
  valueKey: string;
  valueLast: string;
  origin: string;
  actor: string;
  policy: string;
  incidentId: string;
  simulated: boolean;
  enforcement: string;
  createdMs: number;
  /** 0 = never. */
  expiresMs: number;
  search: string;
  /** The whole decision as JSON. */
  body: string;
}

export const decisionEntity = (kind: StoreKind): EntitySchema<DecisionRow> =>
  new EntitySchema<DecisionRow>({
    name: 'decision',
    tableName: 'decisions',
    columns: {
      id: columns.id,
      action: columns.text(16),
      scope: columns.text(16),
      value: columns.text(64),
      valueKey: columns.addressKey,
      valueLast: columns.addressKey,
      origin: columns.text(16),
      actor: columns.text(64),
      policy: columns.text(64),
      incidentId: columns.ref,
      simulated: columns.flag,
      enforcement: columns.text(16),
      createdMs: columns.big,
      expiresMs: columns.big,
      search: columns.text(512),
      body: columns.json(kind),
    },
    indices: [
      { name: 'decisions_time', columns: ['createdMs', 'id', 'enforcement', 'expiresMs', 'search'] },
      { name: 'decisions_enforcement', columns: ['enforcement', 'createdMs', 'id'] },
      { name: 'decisions_value', columns: ['valueKey', 'createdMs', 'id'] },
      { name: 'decisions_incident', columns: ['incidentId', 'createdMs'] },
      { name: 'decisions_expiry', columns: ['expiresMs'] },
    ],
  });

/** Which alerts led to a decision. */
export interface DecisionAlertRow {
  alertId: string;
  decisionId: string;
}

export const decisionAlertEntity = (): EntitySchema<DecisionAlertRow> =>
  new EntitySchema<DecisionAlertRow>({
    name: 'decision_alert',
    tableName: 'decision_alerts',
    columns: { alertId: columns.id, decisionId: columns.id },
    indices: [{ name: 'decision_alerts_decision', columns: ['decisionId'] }],
  });

export interface DecisionHistoryRow {
  id: string;
  decisionId: string;
  atMs: number;
  op: string;
  actor: string;
  reason: string;
}

export const decisionHistoryEntity = (): EntitySchema<DecisionHistoryRow> =>
  new EntitySchema<DecisionHistoryRow>({
    name: 'decision_history',
    tableName: 'decision_history',
    columns: {
      id: columns.id,
      decisionId: columns.ref,
      atMs: columns.big,
      op: columns.text(16),
      actor: columns.text(64),
      reason: columns.text(1000),
    },
    indices: [{ name: 'decision_history_decision', columns: ['decisionId', 'atMs'] }],
  });

export interface AllowRow {
  id: string;
  value: string;
  valueKey: string;
  owner: string;
  comment: string;
  createdMs: number;
  expiresMs: number;
}

export const allowEntity = (): EntitySchema<AllowRow> =>
  new EntitySchema<AllowRow>({
    name: 'allow',
    tableName: 'allowlist',
    columns: {
      id: columns.id,
      value: columns.text(253),
      valueKey: columns.addressKey,
      owner: columns.text(64),
      comment: columns.text(1000),
      createdMs: columns.big,
      expiresMs: columns.big,
    },
    indices: [{ name: 'allowlist_time', columns: ['createdMs', 'id'] }],
  });
