import { closeSync, existsSync, fchmodSync, fchownSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DataSource, type DataSourceOptions, type EntityManager, type QueryRunner } from 'typeorm';
import { migrations } from '../../migrations/index.js';
import type { StoreKind } from './columns.js';
import { createEntities, type Entities } from './entities/index.js';
import { AppError } from '../util/errors.js';
import { toStoreError } from './errors.js';
import { createHostRing, parseHost, type HostRing } from './host-ring.js';
import { SnakeNaming } from './naming.js';
import type { StoreOptions } from './options.js';

const MIGRATIONS_TABLE = 'migrations';

interface SqliteHandle {
  pragma(text: string): unknown;
}

/** WAL keeps readers and the one writer apart; `synchronous=NORMAL` is durable up to the last checkpoint in WAL mode. */
function prepareSqlite(db: unknown): void {
  const handle = db as SqliteHandle;
  handle.pragma('auto_vacuum = INCREMENTAL');
  handle.pragma('journal_mode = WAL');
  handle.pragma('synchronous = NORMAL');
  handle.pragma('temp_store = MEMORY');
  handle.pragma('cache_size = -65536');
  handle.pragma('journal_size_limit = 67108864');
}

function toDataSourceOptions(
  options: StoreOptions,
  entities: Entities,
  ring: HostRing = hostRing(options),
): DataSourceOptions {
  const common = {
    entities: Object.values(entities),
    migrations,
    migrationsTableName: MIGRATIONS_TABLE,
    namingStrategy: new SnakeNaming(),
    synchronize: false,
    logging: false,
  };
  if (options.kind === 'sqlite') {
    return {
      ...common,
      type: 'better-sqlite3',
      database: options.path,
      timeout: options.busyTimeoutMs,
      prepareDatabase: prepareSqlite,
    };
  }
  return {
    ...common,
    type: 'mysql',
    ...(options.socketPath === undefined
      ? { host: options.host, port: options.port }
      : { socketPath: options.socketPath }),
    username: options.user,
    password: options.password,
    database: options.database,
    charset: 'utf8mb4_bin',
    connectTimeout: 5000,
    poolSize: options.poolSize,
    extra: { enableKeepAlive: true, maxIdle: options.poolSize, stream: ring.connect },
  };
}

const CONNECT_MS = 5000;

function hostRing(options: StoreOptions): HostRing {
  const hosts = [options.host, ...options.failoverHosts].map((text) => parseHost(text, options.port));
  const { socketPath, silenceSecs } = options;
  return createHostRing({ hosts, socketPath, connectMs: CONNECT_MS, silenceMs: silenceSecs * 1000 });
}

/** The file holds password hashes: only its owner may read it. Made here because SQLite follows the umask. */
function makePrivate(path: string): void {
  if (path === ':memory:' || existsSync(path)) return;
  const fd = openSync(path, 'a', 0o600);
  fchmodSync(fd, 0o600);
  // Root may run a command before the service ever did: the file belongs to whom the directory belongs.
  const { uid, gid } = statSync(dirname(path));
  if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
  closeSync(fd);
}

/** Runs one task after the other. */
function createMutex(): <T>(task: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = tail.then(task, task);
    tail = result.catch(() => undefined);
    return result;
  };
}

const DEADLOCK_RETRIES = 3;

/** The open database as repositories use it. */
export interface Database {
  kind: StoreKind;
  source: DataSource;
  entities: Entities;
  /** For reading. */
  manager: EntityManager;
  /**
   * Runs a transaction. SQLite has one connection, so transactions queue up there and never mix; on MySQL each has
   * its own connection and is tried again when it was the victim of a deadlock.
   */
  write<T>(task: (manager: EntityManager) => Promise<T>): Promise<T>;
}

function createDatabase(kind: StoreKind, source: DataSource, entities: Entities): Database {
  const mutex = createMutex();
  // A transaction that has read before it writes fails at once when another process wrote in between: take the write
  // lock first. A statement that touches no row does.
  const lock = async (manager: EntityManager): Promise<void> => {
    if (kind === 'sqlite') await manager.query('DELETE FROM settings WHERE 0');
  };
  const transact = async <T>(task: (manager: EntityManager) => Promise<T>): Promise<T> => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await source.transaction(async (manager) => {
          await lock(manager);
          return task(manager);
        });
      } catch (error) {
        if (kind === 'sqlite') endTransaction(source);
        if (attempt >= DEADLOCK_RETRIES || kind !== 'mysql' || toStoreError(error).code !== 'store.locked') throw error;
      }
    }
  };
  return {
    kind,
    source,
    entities,
    manager: source.manager,
    write: (task) => (kind === 'sqlite' ? mutex(() => transact(task)) : transact(task)),
  };
}

/**
 * After an error such as a full disk SQLite has rolled back by itself. The runner of TypeORM would go on in a transaction that
 * is not there, and nothing would be committed ever again: it is replaced, and whatever is open is undone.
 */
function endTransaction(source: DataSource): void {
  const driver = source.driver as unknown as {
    databaseConnection: { inTransaction: boolean; exec(sql: string): unknown };
    queryRunner?: QueryRunner | undefined;
  };
  if (driver.databaseConnection.inTransaction) driver.databaseConnection.exec('ROLLBACK');
  driver.queryRunner = undefined;
}

/**
 * Opens the database as it is, for copies: nothing is migrated.
 * @param known the migrations that `runMigrations` may run.
 * @throws AppError store.*
 */
export async function openDataSource(options: StoreOptions, known: typeof migrations): Promise<DataSource> {
  const source = new DataSource({ ...toDataSourceOptions(options, createEntities(options.kind)), migrations: known });
  try {
    await source.initialize();
    return source;
  } catch (error) {
    throw toStoreError(error);
  }
}

/** A later program has changed the tables in ways that this one does not know: nothing is touched. */
async function refuseLater(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    if (!(await runner.hasTable(MIGRATIONS_TABLE))) return;
    const rows = (await runner.query(`SELECT name FROM ${MIGRATIONS_TABLE}`)) as { name: string }[];
    const unknown = rows.find(({ name }) => !migrations.some((m) => m.name === name));
    if (unknown === undefined) return;
    throw new AppError({
      kind: 'user',
      code: 'store.later_version',
      message: `The database belongs to a later version of Portcullis: this one does not know its change ${unknown.name}.`,
      fix: 'Install that version again, or restore a backup that was made before the upgrade.',
    });
  } finally {
    await runner.release();
  }
}

const MIGRATION_LOCK = "'portcullis.migrations'";

/** Two servers of a fleet may start on an empty database at the same moment: the second waits. */
async function migrate(source: DataSource, kind: StoreKind): Promise<void> {
  const run = (): Promise<unknown> => source.runMigrations({ transaction: 'each' });
  if (kind === 'sqlite') {
    await run();
    return;
  }
  const runner = source.createQueryRunner();
  try {
    await runner.query(`SELECT GET_LOCK(${MIGRATION_LOCK}, 120)`);
    await run();
    await runner.query(`SELECT RELEASE_LOCK(${MIGRATION_LOCK})`);
  } finally {
    await runner.release();
  }
}

/**
 * Opens the database and brings its schema up to date.
 * @throws AppError store.*
 */
export async function openDatabase(options: StoreOptions): Promise<Database> {
  const entities = createEntities(options.kind);
  const ring = hostRing(options);
  const source = new DataSource(toDataSourceOptions(options, entities, ring));
  try {
    if (options.kind === 'sqlite') makePrivate(options.path);
    await source.initialize();
    await refuseLater(source);
    await migrate(source, options.kind);
    ring.arm();
    return createDatabase(options.kind, source, entities);
  } catch (error) {
    if (source.isInitialized) await source.destroy().catch(() => undefined);
    throw toStoreError(error);
  }
}
