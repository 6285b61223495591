import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { DataSource, EntityManager } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import { AppError } from '../util/errors.js';
import { openDataSource } from './data-source.js';
import { storeOptionsSchema, type StoreOptions } from './options.js';

/** What a copy of a database says about itself. */
export interface DatabaseCopy {
  kind: StoreOptions['kind'];
  /** Names of the migrations it has had, oldest first. */
  migrations: string[];
}

const SQLITE_FILE = 'portcullis.db';
const PAGE_ROWS = 1000;
/** The table in which TypeORM counts the migrations; restoring makes its own. */
const MIGRATIONS_TABLE = 'migrations';

/**
 * Writes a copy of the database to a folder, as it is at one moment, beside a running server: SQLite as a compact file,
 * MySQL as one file of rows a table, read in one transaction. @throws AppError store.*
 */
export async function copyDatabase(input: Partial<StoreOptions>, folder: string): Promise<DatabaseCopy> {
  const options = storeOptionsSchema.parse(input);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const source = await openDataSource(options, []);
  try {
    const applied = await appliedMigrations(source);
    if (options.kind === 'sqlite') await source.query('VACUUM INTO ?', [join(folder, SQLITE_FILE)]);
    else await source.transaction('REPEATABLE READ', (manager) => copyTables(manager, options.database, folder));
    return { kind: options.kind, migrations: applied };
  } finally {
    await source.destroy();
  }
}

/**
 * Puts a copy in the place of the database; nothing else may use it meanwhile. Later migrations run when the server
 * next starts. @throws AppError backup.other_database, backup.later_version, store.*
 */
export async function restoreDatabase(input: Partial<StoreOptions>, copy: DatabaseCopy, folder: string): Promise<void> {
  const options = storeOptionsSchema.parse(input);
  checkRestorable(options, copy);
  if (options.kind === 'sqlite') {
    await mkdir(dirname(options.path), { recursive: true, mode: 0o750 });
    // One outside the data folder, which is kept aside as a whole, is kept beside the new one.
    for (const suffix of ['', '-wal', '-shm']) {
      if (!existsSync(options.path + suffix)) continue;
      await rename(options.path + suffix, `${options.path}.before-restore${suffix}`);
    }
    await copyFile(join(folder, SQLITE_FILE), options.path);
    // It holds password hashes.
    await chmod(options.path, 0o600);
    return;
  }
  const wanted = migrations.filter((m) => copy.migrations.includes(m.name));
  const source = await openDataSource(options, wanted);
  try {
    await source.dropDatabase();
    await source.runMigrations();
    for (const file of await readdir(folder))
      await fillTable(source, file.replace(/\.ndjson\.gz$/, ''), join(folder, file));
  } finally {
    await source.destroy();
  }
}

/** @throws AppError backup.other_database, backup.later_version */
export function checkRestorable(options: Pick<StoreOptions, 'kind'>, copy: DatabaseCopy): void {
  if (copy.kind !== options.kind) {
    throw new AppError({
      kind: 'user',
      code: 'backup.other_database',
      message: `The backup is of a ${copy.kind} database, the configuration names ${options.kind}.`,
      fix: `Set store.kind to ${copy.kind} for the restore.`,
    });
  }
  const unknown = copy.migrations.find((name) => !migrations.some((m) => m.name === name));
  if (unknown !== undefined) {
    throw new AppError({
      kind: 'user',
      code: 'backup.later_version',
      message: `The backup is of a later version of Portcullis: this one does not know its change ${unknown}.`,
      fix: 'Install that version first.',
    });
  }
}

async function appliedMigrations(source: DataSource): Promise<string[]> {
  const rows = await source.query<{ name: string }[]>(`SELECT name FROM ${MIGRATIONS_TABLE} ORDER BY id`);
  return rows.map((row) => row.name);
}

async function copyTables(manager: EntityManager, database: string, folder: string): Promise<void> {
  const tables = await manager.query<{ name: string }[]>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE'",
    [database],
  );
  for (const { name } of tables) if (name !== MIGRATIONS_TABLE) await copyTable(manager, database, name, folder);
}

/** Pages follow the primary key, so that a table of millions is never held at once. */
async function copyTable(manager: EntityManager, database: string, table: string, folder: string): Promise<void> {
  const keys = await manager.query<{ name: string }[]>(
    `SELECT column_name AS name FROM information_schema.key_column_usage
     WHERE table_schema = ? AND table_name = ? AND constraint_name = 'PRIMARY' ORDER BY ordinal_position`,
    [database, table],
  );
  const columns = keys.map((k) => `\`${k.name}\``).join(', ');
  const out = createGzip();
  const file = createWriteStream(join(folder, `${table}.ndjson.gz`), { mode: 0o600 });
  out.pipe(file);
  let last: unknown[] | undefined;
  for (;;) {
    const after = last === undefined ? '' : `WHERE (${columns}) > (${last.map(() => '?').join(', ')})`;
    const rows = await manager.query<Record<string, unknown>[]>(
      `SELECT * FROM \`${table}\` ${after} ORDER BY ${columns} LIMIT ${PAGE_ROWS}`,
      last ?? [],
    );
    for (const row of rows) if (!out.write(`${JSON.stringify(row, encode)}\n`)) await once(out, 'drain');
    if (rows.length < PAGE_ROWS) break;
    last = keys.map((k) => rows.at(-1)?.[k.name]);
  }
  out.end();
  await finished(file);
}

async function fillTable(source: DataSource, table: string, file: string): Promise<void> {
  const lines = createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Infinity });
  let rows: Record<string, unknown>[] = [];
  const flush = async (): Promise<void> => {
    const [first] = rows;
    if (!first) return;
    const columns = Object.keys(first);
    const places = `(${columns.map(() => '?').join(', ')})`;
    await source.query(
      `INSERT INTO \`${table}\` (${columns.map((c) => `\`${c}\``).join(', ')}) VALUES ${rows.map(() => places).join(', ')}`,
      rows.flatMap((row) => columns.map((c) => row[c])),
    );
    rows = [];
  };
  for await (const line of lines) {
    rows.push(JSON.parse(line, decode) as Record<string, unknown>);
    if (rows.length >= 200) await flush();
  }
  await flush();
}

const BYTES = '$bytes';

function encode(this: unknown, key: string, value: unknown): unknown {
  const original = (this as Record<string, unknown>)[key];
  if (Buffer.isBuffer(original)) return { [BYTES]: original.toString('base64') };
  return value;
}

function decode(_key: string, value: unknown): unknown {
  const bytes = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[BYTES] : undefined;
  return typeof bytes === 'string' ? Buffer.from(bytes, 'base64') : value;
}
