import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

export interface IncidentRow {
  id: string;
  offender: string;
  offenderKey: string;
  title: string;
  severity: number;
  state: string;
  /** Empty: nobody. */
  owner: string;
  alertCount: number;
  /** Comma-fenced. */
  labels: string;
  firstMs: number;
  lastMs: number;
  search: string;
}

export const incidentEntity = (): EntitySchema<IncidentRow> =>
  new EntitySchema<IncidentRow>({
    name: 'incident',
    tableName: 'incidents',
    columns: {
      id: columns.id,
      offender: columns.text(45),
      offenderKey: columns.addressKey,
      title: columns.text(255),
      severity: columns.int,
      state: columns.text(16),
      owner: columns.text(32),
      alertCount: columns.int,
      labels: columns.text(1024),
      firstMs: columns.big,
      lastMs: columns.big,
      search: columns.text(512),
    },
    indices: [
      { name: 'incidents_time', columns: ['lastMs', 'id'] },
      { name: 'incidents_state', columns: ['state', 'lastMs', 'id'] },
      { name: 'incidents_offender', columns: ['offenderKey', 'lastMs', 'id'] },
    ],
  });

export interface CommentRow {
  id: string;
  incidentId: string;
  user: string;
  text: string;
  createdMs: number;
}

export const commentEntity = (): EntitySchema<CommentRow> =>
  new EntitySchema<CommentRow>({
    name: 'comment',
    tableName: 'incident_comments',
    columns: {
      id: columns.id,
      incidentId: columns.ref,
      user: columns.text(32),
      text: columns.text(4000),
      createdMs: columns.big,
    },
    indices: [{ name: 'incident_comments_incident', columns: ['incidentId', 'createdMs'] }],
  });
