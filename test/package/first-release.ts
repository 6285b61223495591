import Database from 'better-sqlite3';
import { migrations } from '../../migrations/index.js';
import { openStore } from '../../src/store/index.js';
import { fill, undoToFirst } from '../unit/store/upgrade-cases.js';

/** A database as the first release left it: its tables, and some weeks of data in them. */
export async function makeFirstDatabase(path: string): Promise<void> {
  const options = { kind: 'sqlite' as const, path };
  const store = await openStore({ thread: false, ...options });
  await fill(store);
  await store.close();
  const source = await undoToFirst(options);
  await source.query('PRAGMA journal_mode = DELETE');
  await source.destroy();
}

export interface DatabaseContents {
  migrations: string[];
  alerts: number;
  decisions: string[];
  flows: number;
  allowlist: string[];
}

/** Read with the driver alone, whatever version of the tables it is. */
export function readDatabase(path: string): DatabaseContents {
  const db = new Database(path, { readonly: true });
  const column = <T>(sql: string): T[] => db.prepare(sql).pluck().all() as T[];
  try {
    return {
      migrations: column<string>('SELECT name FROM migrations ORDER BY id'),
      alerts: column<number>('SELECT count(*) FROM alerts')[0] ?? 0,
      decisions: column<string>('SELECT value FROM decisions ORDER BY value'),
      flows: column<number>('SELECT count(*) FROM flows')[0] ?? 0,
      allowlist: column<string>('SELECT value FROM allowlist ORDER BY value'),
    };
  } finally {
    db.close();
  }
}

export const FIRST_MIGRATIONS = [migrations[0]!.name];
export const ALL_MIGRATIONS = migrations.map((migration) => migration.name);
