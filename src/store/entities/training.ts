import { EntitySchema } from 'typeorm';
import { columns, type StoreKind } from '../columns.js';

/** One training run and its report. */
export interface TrainingRunRow {
  id: string;
  model: string;
  state: string;
  startedMs: number;
  /** JSON: the whole report. */
  report: string;
}

export const trainingRunEntity = (kind: StoreKind): EntitySchema<TrainingRunRow> =>
  new EntitySchema<TrainingRunRow>({
    name: 'training_run',
    tableName: 'training_runs',
    columns: {
      id: columns.id,
      model: columns.text(64),
      state: columns.text(16),
      startedMs: columns.big,
      report: columns.json(kind),
    },
    indices: [{ name: 'training_runs_time', columns: ['startedMs', 'id'] }],
  });

/** A live flow that no model reported, drawn by chance: benign unless a person says otherwise. */
export interface FlowSampleRow {
  id: string;
  atMs: number;
  sensor: string;
  srcIp: string;
  srcPort: number;
  dstIp: string;
  dstPort: number;
  proto: number;
  featureSchema: string;
  /** JSON: raw score by model. */
  scores: string;
  /** JSON list of numbers. */
  featureValues: string;
  labelled: boolean;
}

export const flowSampleEntity = (kind: StoreKind): EntitySchema<FlowSampleRow> =>
  new EntitySchema<FlowSampleRow>({
    name: 'flow_sample',
    tableName: 'flow_samples',
    columns: {
      id: columns.id,
      atMs: columns.big,
      sensor: columns.text(64),
      srcIp: columns.text(45),
      srcPort: columns.int,
      dstIp: columns.text(45),
      dstPort: columns.int,
      proto: columns.int,
      featureSchema: columns.text(64),
      scores: columns.json(kind),
      featureValues: columns.json(kind),
      labelled: columns.flag,
    },
    indices: [{ name: 'flow_samples_time', columns: ['atMs', 'id'] }],
  });
