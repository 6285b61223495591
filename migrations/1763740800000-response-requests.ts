import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';
import { createTables, dropTables, type TableSpec } from './table-builder.js';

const TABLES: readonly TableSpec[] = [
  {
    name: 'response_requests',
    columns: {
      key_hash: 'varchar(64) primary',
      id: 'varchar(36)',
      at_ms: 'bigint',
      actor: 'varchar(80)',
      source: 'varchar(64)',
      body_hash: 'varchar(64)',
      answer: 'json',
    },
    indices: { response_requests_time: ['at_ms', 'id'] },
  },
];

/** Requests of SIEMs with their answers, and API tokens that are good for one purpose only. */
export class ResponseRequests1763740800000 implements MigrationInterface {
  readonly name = 'ResponseRequests1763740800000';

  async up(runner: QueryRunner): Promise<void> {
    await createTables(runner, TABLES);
    // Tokens made before there were scopes keep what they could do. The default exists only while the column is filled.
    const column = new TableColumn({
      name: 'scope',
      type: 'varchar',
      length: '16',
      isNullable: false,
      default: "'all'",
    });
    await runner.addColumn('tokens', column);
    const plain = column.clone();
    plain.default = undefined;
    await runner.changeColumn('tokens', 'scope', plain);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('tokens', 'scope');
    await dropTables(runner, TABLES);
  }
}
