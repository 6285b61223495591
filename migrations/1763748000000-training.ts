import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createTables, dropTables, type TableSpec } from './table-builder.js';

const TABLES: readonly TableSpec[] = [
  {
    name: 'training_runs',
    columns: {
      id: 'varchar(36) primary',
      model: 'varchar(64)',
      state: 'varchar(16)',
      started_ms: 'bigint',
      report: 'json',
    },
    indices: { training_runs_time: ['started_ms', 'id'] },
  },
  {
    name: 'flow_samples',
    columns: {
      id: 'varchar(36) primary',
      at_ms: 'bigint',
      sensor: 'varchar(64)',
      src_ip: 'varchar(45)',
      src_port: 'integer',
      dst_ip: 'varchar(45)',
      dst_port: 'integer',
      proto: 'integer',
      feature_schema: 'varchar(64)',
      scores: 'json',
      feature_values: 'json',
      labelled: 'integer',
    },
    indices: { flow_samples_time: ['at_ms', 'id'] },
  },
];

/** Training runs, sampled live flows, and the address a label speaks about. */
export class Training1763748000000 implements MigrationInterface {
  readonly name = 'Training1763748000000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, TABLES);
    const source = { name: 'source', type: 'varchar', length: '45', isNullable: false, default: "''" };
    await runner.addColumn('labels', new TableColumn(source));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('labels', 'source');
    await dropTables(runner, TABLES);
  }
}
