import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openDatabase } from '../../../src/store/data-source.js';
import { storeOptionsSchema, type StoreOptions } from '../../../src/store/options.js';

/** Migrations against entities, on one kind of database. */
export function schemaCases(name: string, fresh: () => Promise<Partial<StoreOptions>>): void {
  describe(`schema on ${name}`, () => {
    it('is after all migrations exactly what the entities say, and goes down to nothing and up again', async () => {
      const db = await openDatabase(storeOptionsSchema.parse(await fresh()));
      try {
        const drift = async (): Promise<string[]> =>
          (await db.source.driver.createSchemaBuilder().log()).upQueries.map((query) => query.query);
        assert.deepEqual(await drift(), []);
        for (const _migration of db.source.migrations) await db.source.undoLastMigration({ transaction: 'each' });
        const tables = await tableNames(db.source.query.bind(db.source), db.kind);
        assert.deepEqual(
          tables.filter((table) => table !== 'migrations'),
          [],
        );
        await db.source.runMigrations({ transaction: 'each' });
        assert.deepEqual(await drift(), []);
        await db.source.query('ALTER TABLE alerts ADD COLUMN stray INTEGER');
        assert.notDeepEqual(await drift(), [], 'mutation control: a stray column is seen');
      } finally {
        await db.source.destroy();
      }
    });
  });
}

async function tableNames(query: (sql: string) => Promise<unknown>, kind: string): Promise<string[]> {
  const sql =
    kind === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
      : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()';
  return ((await query(sql)) as { name: string }[]).map((row) => row.name);
}
