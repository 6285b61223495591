import type { EntityManager, EntitySchema, ObjectLiteral } from 'typeorm';
import type { Database } from './data-source.js';

interface Plan {
  table: string;
  /** Property and column of each value, in order. */
  columns: { property: string; name: string }[];
}

const plans = new WeakMap<EntitySchema, Plan>();

function planOf(db: Database, entity: EntitySchema): Plan {
  let plan = plans.get(entity);
  if (!plan) {
    const metadata = db.source.getMetadata(entity);
    plan = {
      table: metadata.tableName,
      columns: metadata.columns.map((column) => ({ property: column.propertyName, name: column.databaseName })),
    };
    plans.set(entity, plan);
  }
  return plan;
}

function toSql(db: Database, { table, columns }: Plan, rows: number, update: readonly string[]): string {
  const quote = (name: string): string => (db.kind === 'mysql' ? `\`${name}\`` : `"${name}"`);
  const one = `(${columns.map(() => '?').join(',')})`;
  const insert = `INSERT INTO ${quote(table)} (${columns.map(({ name }) => quote(name)).join(',')}) VALUES `;
  const values = Array.from({ length: rows }, () => one).join(',');
  if (update.length === 0) return insert + values;
  const names = columns.filter(({ property }) => update.includes(property)).map(({ name }) => quote(name));
  return db.kind === 'mysql'
    ? `${insert}${values} ON DUPLICATE KEY UPDATE ${names.map((name) => `${name}=VALUES(${name})`).join(',')}`
    : `${insert}${values} ON CONFLICT("id") DO UPDATE SET ${names.map((name) => `${name}=excluded.${name}`).join(',')}`;
}

/**
 * One INSERT of many rows, with the same statement for the same number of rows, so that it is prepared once: several
 * times faster than the query builder, on the paths that write all the time.
 * @param update properties that an existing row (same id) takes from the new one; without any a known id is an error.
 */
export async function bulkInsert<T extends ObjectLiteral>(
  db: Database,
  manager: EntityManager,
  entity: EntitySchema<T>,
  rows: readonly T[],
  update: readonly (keyof T & string)[] = [],
): Promise<void> {
  const plan = planOf(db, entity);
  const values: unknown[] = [];
  for (const row of rows) {
    for (const { property } of plan.columns) {
      const value: unknown = row[property];
      values.push(typeof value === 'boolean' ? Number(value) : value);
    }
  }
  await manager.query(toSql(db, plan, rows.length, update), values);
}
