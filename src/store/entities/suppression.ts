import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

/** Empty text and -1 stand for "any". */
export interface SuppressionEntry {
  id: string;
  offender: string;
  victim: string;
  label: string;
  gid: number;
  signatureId: number;
  untilMs: number;
  comment: string;
  owner: string;
  createdMs: number;
}

export const suppressionEntity = (): EntitySchema<SuppressionEntry> =>
  new EntitySchema<SuppressionEntry>({
    name: 'suppression',
    tableName: 'suppressions',
    columns: {
      id: columns.id,
      offender: columns.text(49),
      victim: columns.text(49),
      label: columns.text(128),
      gid: columns.big,
      signatureId: columns.big,
      untilMs: columns.big,
      comment: columns.text(500),
      owner: columns.text(64),
      createdMs: columns.big,
    },
  });
