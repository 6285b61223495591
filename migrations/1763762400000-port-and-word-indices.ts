import { TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

const PORTS = [
  { table: 'alerts', name: 'alerts_src_port', columnNames: ['src_port', 'last_ms', 'id'] },
  { table: 'flows', name: 'flows_src_port', columnNames: ['src_port', 'end_ms', 'id'] },
];
const DECISIONS_TIME = ['created_ms', 'id'];
/** Holds what a search for a word among the decisions in force looks at, so that no row is read for it. */
const DECISIONS_WORDS = [...DECISIONS_TIME, 'enforcement', 'expires_ms', 'search'];

/** `port:` finds either port by an index, and words in decisions are found in the index of their times. */
export class PortAndWordIndices1763762400000 implements MigrationInterface {
  readonly name = 'PortAndWordIndices1763762400000';

  async up(runner: QueryRunner): Promise<void> {
    for (const { table, ...index } of PORTS) await runner.createIndex(table, new TableIndex(index));
    await replaceTime(runner, DECISIONS_WORDS);
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceTime(runner, DECISIONS_TIME);
    for (const { table, name } of PORTS.toReversed()) await runner.dropIndex(table, name);
  }
}

async function replaceTime(runner: QueryRunner, columnNames: string[]): Promise<void> {
  await runner.dropIndex('decisions', 'decisions_time');
  await runner.createIndex('decisions', new TableIndex({ name: 'decisions_time', columnNames }));
}
