import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTables, dropTables, type TableSpec } from './table-builder.js';

const TABLES: readonly TableSpec[] = [
  {
    name: 'suppressions',
    columns: {
      id: 'varchar(36) primary',
      offender: 'varchar(49)',
      victim: 'varchar(49)',
      label: 'varchar(128)',
      gid: 'bigint',
      signature_id: 'bigint',
      until_ms: 'bigint',
      comment: 'varchar(500)',
      owner: 'varchar(64)',
      created_ms: 'bigint',
    },
  },
];

/** Suppressions made in the console. */
export class Suppressions1763758800000 implements MigrationInterface {
  readonly name = 'Suppressions1763758800000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, TABLES);
  }
}
