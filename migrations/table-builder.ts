import { Table, type QueryRunner, type TableColumnOptions } from 'typeorm';

/** A table as a migration freezes it: `varchar(36) primary`, `bigint`, `integer`, `double`, `json`. */
export interface TableSpec {
  name: string;
  columns: Record<string, string>;
  indices?: Record<string, string[] | { unique: true; columns: string[] }>;
}

function isMysql(runner: QueryRunner): boolean {
  return runner.connection.options.type === 'mysql' || runner.connection.options.type === 'mariadb';
}

function column(name: string, spec: string, mysql: boolean): TableColumnOptions {
  const match = /^(\w+)(?:\((\d+)\))?( primary)?$/.exec(spec);
  if (!match) throw new Error(`bad column ${name}: ${spec}`);
  const [, type = '', length, primary] = match;
  return {
    name,
    type: type === 'json' ? (mysql ? 'mediumtext' : 'text') : type,
    ...(length === undefined ? {} : { length }),
    isPrimary: primary !== undefined,
    isNullable: false,
  };
}

/** Binary text comparison on both databases, so that searches agree; before the first table is made. */
export async function setTextComparison(runner: QueryRunner): Promise<void> {
  if (isMysql(runner)) await runner.query('ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin');
}

export async function createTables(runner: QueryRunner, specs: readonly TableSpec[]): Promise<void> {
  const mysql = isMysql(runner);
  for (const spec of specs) {
    const indices = Object.entries(spec.indices ?? {}).map(([name, index]) =>
      Array.isArray(index)
        ? { name, columnNames: index }
        : { name, columnNames: index.columns, isUnique: index.unique },
    );
    const columns = Object.entries(spec.columns).map(([name, text]) => column(name, text, mysql));
    await runner.createTable(new Table({ name: spec.name, columns, indices }));
  }
}

export async function dropTables(runner: QueryRunner, specs: readonly TableSpec[]): Promise<void> {
  for (const spec of specs.toReversed()) await runner.dropTable(spec.name);
}
