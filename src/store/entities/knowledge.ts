import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

/** A person's judgement of an alert, with what training needs, so it outlives the alert. */
export interface LabelRow {
  id: string;
  alertId: string;
  verdict: string;
  class: string;
  comment: string;
  user: string;
  createdMs: number;
  /** Label of the alert when it was judged. */
  alertLabel: string;
  featureSchema: string;
  /** JSON list of numbers, or empty. */
  featureValues: string;
  /** Address held responsible, or empty: the one the label speaks about. */
  source: string;
  /** Tiers that agreed on the alert when it was judged, with commas between; empty for labels of earlier versions. */
  tiers: string;
}

export const labelEntity = (kind: StoreKind): EntitySchema<LabelRow> =>
  new EntitySchema<LabelRow>({
    name: 'label',
    tableName: 'labels',
    columns: {
      id: columns.id,
      alertId: columns.ref,
      verdict: columns.text(16),
      class: columns.text(64),
      comment: columns.text(1000),
      user: columns.text(32),
      createdMs: columns.big,
      alertLabel: columns.text(128),
      featureSchema: columns.text(64),
      featureValues: columns.json(kind),
      source: { ...columns.text(45), default: '' },
      tiers: { ...columns.text(64), default: '' },
    },
    indices: [
      { name: 'labels_alert', columns: ['alertId', 'createdMs'] },
      { name: 'labels_time', columns: ['createdMs', 'id'] },
    ],
  });

export interface SettingRow {
  name: string;
  value: string;
  actor: string;
  updatedMs: number;
}

export const settingEntity = (kind: StoreKind): EntitySchema<SettingRow> =>
  new EntitySchema<SettingRow>({
    name: 'setting',
    tableName: 'settings',
    columns: {
      name: { ...columns.text(64), primary: true },
      value: columns.json(kind),
      actor: columns.text(64),
      updatedMs: columns.big,
    },
  });

export interface PolicyVersionRow {
  name: string;
  version: number;
  yaml: string;
  actor: string;
  comment: string;
  createdMs: number;
}

export const policyVersionEntity = (kind: StoreKind): EntitySchema<PolicyVersionRow> =>
  new EntitySchema<PolicyVersionRow>({
    name: 'policy_version',
    tableName: 'policy_versions',
    columns: {
      name: { ...columns.text(64), primary: true },
      version: { ...columns.int, primary: true },
      yaml: columns.json(kind),
      actor: columns.text(64),
      comment: columns.text(1000),
      createdMs: columns.big,
    },
  });
