import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createTables, dropTables, type TableSpec } from './table-builder.js';

const TABLES: readonly TableSpec[] = [
  {
    name: 'saved_views',
    columns: {
      id: 'varchar(36) primary',
      page: 'varchar(16)',
      name: 'varchar(64)',
      q: 'varchar(500)',
      shared: 'integer',
      owner: 'varchar(32)',
      created_ms: 'bigint',
    },
    indices: { saved_views_owner: ['owner', 'created_ms'] },
  },
  {
    name: 'passkeys',
    columns: {
      id: 'varchar(36) primary',
      user: 'varchar(32)',
      name: 'varchar(64)',
      credential_id: 'varchar(400)',
      public_key: 'varchar(1024)',
      counter: 'bigint',
      transports: 'varchar(255)',
      created_ms: 'bigint',
      last_used_ms: 'bigint',
    },
    indices: {
      passkeys_credential: { unique: true, columns: ['credential_id'] },
      passkeys_user: ['user', 'created_ms'],
    },
  },
];

/** Saved views of the console, and passkeys. */
export class Console1763751600000 implements MigrationInterface {
  readonly name = 'Console1763751600000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, TABLES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await dropTables(runner, TABLES);
  }
}
