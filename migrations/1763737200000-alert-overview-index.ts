import { TableIndex, type MigrationInterface, type QueryRunner } from 'typeorm';

const NAME = 'alerts_overview';

/** The overview groups the alerts of a time span: this index holds every column it needs. */
export class AlertOverviewIndex1763737200000 implements MigrationInterface {
  readonly name = 'AlertOverviewIndex1763737200000';

  async up(runner: QueryRunner): Promise<void> {
    const columnNames = ['last_ms', 'label', 'severity', 'tiers', 'response', 'offender'];
    await runner.createIndex('alerts', new TableIndex({ name: NAME, columnNames }));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropIndex('alerts', NAME);
  }
}
