import SqliteDatabase from 'better-sqlite3';
import { createConnection } from 'mysql2/promise';

/** Runs SQL on the database under the store, whichever it is. */
export interface RawSql {
  kind: 'sqlite' | 'mysql';
  run(sql: string): Promise<unknown>;
  /** Statements that drop and make again the indices of a table, but the one that `keep` names. */
  indices(table: string, keep: string): Promise<{ drop: string; make: string }[]>;
  close(): Promise<void>;
}

export function openRawSqlite(path: string): RawSql {
  const db = new SqliteDatabase(path);
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -1000000');
  return {
    kind: 'sqlite',
    run: (sql) => Promise.resolve(db.exec(sql)),
    indices(table, keep) {
      const all = db
        .prepare(
          "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL AND name <> ?",
        )
        .all(table, keep) as { name: string; sql: string }[];
      return Promise.resolve(all.map(({ name, sql }) => ({ drop: `DROP INDEX "${name}"`, make: sql })));
    },
    close: () => Promise.resolve(void db.close()),
  };
}

export async function openRawMysql(socketPath: string, database: string): Promise<RawSql> {
  const connection = await createConnection({ socketPath, user: 'root', database });
  await connection.query('SET unique_checks = 0, foreign_key_checks = 0');
  return {
    kind: 'mysql',
    run: (sql) => connection.query(sql),
    async indices(table, keep) {
      const [rows] = await connection.query(
        `SELECT index_name AS name, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns FROM information_schema.statistics
         WHERE table_schema = ? AND table_name = ? AND index_name NOT IN ('PRIMARY', ?) AND index_type = 'BTREE' GROUP BY index_name`,
        [database, table, keep],
      );
      return (rows as { name: string; columns: string }[]).map(({ name, columns }) => ({
        drop: `DROP INDEX ${name} ON ${table}`,
        make: `CREATE INDEX ${name} ON ${table} (${columns})`,
      }));
    },
    close: () => connection.end(),
  };
}

/** A UUIDv7 of another time: the first 48 bits are milliseconds, the rest stays. */
function shiftedId(kind: RawSql['kind'], id: string, ms: string): string {
  return kind === 'sqlite'
    ? `substr(printf('%012x', ${ms}), 1, 8) || '-' || substr(printf('%012x', ${ms}), 9, 4) || substr(${id}, 14)`
    : `CONCAT(SUBSTR(LPAD(LOWER(HEX(${ms})), 12, '0'), 1, 8), '-', SUBSTR(LPAD(LOWER(HEX(${ms})), 12, '0'), 9, 4), SUBSTR(${id}, 14))`;
}

export interface Copying {
  table: string;
  /** Index that finds the newest rows. */
  newest: string;
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
 * the database's own speed. The other indices are made again at the end, sorted, which takes a fraction of the time.
 */
export async function copyBack(
  db: RawSql,
  { table, newest, times, micros = [], rest, along }: Copying,
  spanMs: number,
  copies: number,
) {
  const time = times.at(-1) ?? '';
  const columns = ['id', ...times, ...micros, ...rest];
  const indices = await db.indices(table, newest);
  for (const { drop } of indices) await db.run(drop);
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
  for (const { make } of indices) await db.run(make);
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
