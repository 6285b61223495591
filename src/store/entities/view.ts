import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

export interface ViewRow {
  id: string;
  page: string;
  name: string;
  q: string;
  shared: boolean;
  owner: string;
  createdMs: number;
}

export const viewEntity = (): EntitySchema<ViewRow> =>
  new EntitySchema<ViewRow>({
    name: 'view',
    tableName: 'saved_views',
    columns: {
      id: columns.id,
      page: columns.text(16),
      name: columns.text(64),
      q: columns.text(500),
      shared: columns.flag,
      owner: columns.text(32),
      createdMs: columns.big,
    },
    indices: [{ name: 'saved_views_owner', columns: ['owner', 'createdMs'] }],
  });
