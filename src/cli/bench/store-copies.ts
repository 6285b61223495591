import SqliteDatabase from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** Runs SQL on the database under the store, whichever it is. */
export interface RawSql {
  kind: 'sqlite' | 'mysql';
  run(sql: string): Promise<unknown>;
  close(): Promise<void>;
}

export function openRawSqlite(path: string): RawSql {
  const db = new SqliteDatabase(path);
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -1000000');
  return {
    kind: 'sqlite',
    run: (sql) => Promise.resolve(db.exec(sql)),
    close: () => Promise.resolve(void db.close()),
  };
}

export async function openRawMysql(socketPath: string, database: string): Promise<RawSql> {
  const connection = await createConnection({ socketPath, user: 'root', database });
  return { kind: 'mysql', run: (sql) => connection.query(sql), close: () => connection.end() };
}

/** A UUIDv7 of another time: the first 48 bits are milliseconds, the rest stays. */
function shiftedId(kind: RawSql['kind'], id: string, ms: string): string {
  return kind === 'sqlite'
    ? `substr(printf('%012x', ${ms}), 1, 8) || '-' || substr(printf('%012x', ${ms}), 9, 4) || substr(${id}, 14)`
    : `CONCAT(SUBSTR(LPAD(LOWER(HEX(${ms})), 12, '0'), 1, 8), '-', SUBSTR(LPAD(LOWER(HEX(${ms})), 12, '0'), 9, 4), SUBSTR(${id}, 14))`;
}

export interface Copying {
  table: string;
  /** Columns of epoch milliseconds, the one that the id was made of last. */
  times: readonly string[];
  /** Columns of epoch microseconds. */
  micros?: readonly string[];
  /** Other columns, taken as they are. */
  rest: readonly string[];
  /** A table whose `id` belongs to the id of this one. */
  along?: { table: string; columns: readonly string[] };
}

/**
 * Copies the newest rows of a table `copies` times, each time `spanMs` further back: a large table from a small one at
 * the database's own speed.
 */
export async function copyBack(
  db: RawSql,
  { table, times, micros = [], rest, along }: Copying,
  spanMs: number,
  copies: number,
) {
  const time = times.at(-1) ?? '';
  const columns = ['id', ...times, ...micros, ...rest];
  for (let k = 1; k <= copies; k++) {
    const ms = `(${time} - ${k * spanMs})`;
    const values = [
      shiftedId(db.kind, 'id', ms),
      ...times.map((name) => `${name} - ${k * spanMs}`),
      ...micros.map((name) => `${name} - ${k * spanMs * 1000}`),
      ...rest,
    ];
    // Rows of earlier copies lie before the base.
    const base = `SELECT ${values.join(', ')} FROM ${table} WHERE ${time} > (SELECT at FROM bench_base WHERE name = '${table}')`;
    await db.run(`INSERT INTO ${table} (${columns.join(', ')}) ${base}`);
    if (!along) continue;
    const id = shiftedId(db.kind, 'a.id', `(a.${time} - ${k * spanMs})`);
    const taken = along.columns.map((name) => `b.${name}`).join(', ');
    await db.run(
      `INSERT INTO ${along.table} (id, ${along.columns.join(', ')}) SELECT ${id}, ${taken} FROM ${table} a JOIN ${along.table} b ON b.id = a.id
       WHERE a.${time} > (SELECT at FROM bench_base WHERE name = '${table}')`,
    );
  }
}

/** Copies sums of one kind of span back as often as their rows. */
export async function copyRollups(db: RawSql, kinds: readonly string[], spanMs: number, copies: number): Promise<void> {
  const list = kinds.map((kind) => `'${kind}'`).join(', ');
  for (let k = 1; k <= copies; k++) {
    await db.run(
      `INSERT ${db.kind === 'sqlite' ? 'OR IGNORE' : 'IGNORE'} INTO rollups (kind, at_ms, name, flows, packets, bytes, alerts, last_ms)
       SELECT kind, at_ms - ${k * spanMs}, name, flows, packets, bytes, alerts, last_ms - ${k * spanMs} FROM rollups
       WHERE kind IN (${list}) AND at_ms > (SELECT at FROM bench_base WHERE name = 'rollups')`,
    );
  }
}

/** Notes where the rows that are copied begin. */
export async function noteBase(db: RawSql, name: string, atMs: number): Promise<void> {
  await db.run('CREATE TABLE IF NOT EXISTS bench_base (name varchar(32) PRIMARY KEY, at bigint)');
  await db.run(`INSERT INTO bench_base (name, at) VALUES ('${name}', ${atMs})`);
}
