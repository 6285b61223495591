import type { EntitySchemaColumnOptions } from 'typeorm';

export type StoreKind = 'sqlite' | 'mysql';

/** Column types that both databases have; no defaults and no NULL unless stated, so both behave alike. */
export const columns = {
  id: { type: 'varchar', length: 36, primary: true } as EntitySchemaColumnOptions,
  ref: { type: 'varchar', length: 36 } as EntitySchemaColumnOptions,
  text: (length: number): EntitySchemaColumnOptions => ({ type: 'varchar', length }),
  /** 32 hex digits, see address-key.ts. */
  addressKey: { type: 'varchar', length: 32 } as EntitySchemaColumnOptions,
  int: { type: 'integer' } as EntitySchemaColumnOptions,
  /** Whole numbers up to 2^53; MySQL's driver hands bigint over as text. */
  big: {
    type: 'bigint',
    transformer: { to: (value: unknown) => value, from: (value: unknown) => (value === null ? null : Number(value)) },
  } as EntitySchemaColumnOptions,
  real: { type: 'double' } as EntitySchemaColumnOptions,
  flag: {
    type: 'integer',
    transformer: { to: (value: unknown) => (typeof value === 'boolean' ? Number(value) : value), from: Boolean },
  } as EntitySchemaColumnOptions,
  /** JSON as text. MySQL's TEXT ends at 64 KiB, MEDIUMTEXT at 16 MiB. */
  json: (kind: StoreKind): EntitySchemaColumnOptions => ({ type: kind === 'mysql' ? 'mediumtext' : 'text' }),
};

/** Cuts text to the width of its column, whole characters only. */
export function clip(text: string, length: number): string {
  return text.length <= length ? text : Array.from(text).slice(0, length).join('').slice(0, length);
}
