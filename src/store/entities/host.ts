import { EntitySchema } from 'typeorm';
import { columns } from '../columns.js';

/** What a host of the own networks did in an hour. */
export interface HostHourRow {
  address: string;
  atMs: number;
  flows: number;
  bytesIn: number;
  bytesOut: number;
  peers: number;
  lastMs: number;
}

export const hostHourEntity = (): EntitySchema<HostHourRow> =>
  new EntitySchema<HostHourRow>({
    name: 'hostHour',
    tableName: 'host_hours',
    columns: {
      address: { ...columns.text(45), primary: true },
      atMs: { ...columns.big, primary: true },
      flows: columns.big,
      bytesIn: columns.big,
      bytesOut: columns.big,
      peers: columns.int,
      lastMs: columns.big,
    },
    indices: [{ name: 'host_hours_time', columns: ['atMs'] }],
  });
