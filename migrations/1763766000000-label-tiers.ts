import { TableColumn, type MigrationInterface, type QueryRunner } from 'typeorm';

/** Tiers that agreed on an alert when a person judged it: what speaks against a label outlives the alert. */
export class LabelTiers1763766000000 implements MigrationInterface {
  readonly name = 'LabelTiers1763766000000';

  async up(runner: QueryRunner): Promise<void> {
    const tiers = { name: 'tiers', type: 'varchar', length: '64', isNullable: false, default: "''" };
    await runner.addColumn('labels', new TableColumn(tiers));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.dropColumn('labels', 'tiers');
  }
}
