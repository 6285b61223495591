import { z } from 'zod';

/** Marks a key that the file may not use; see {@link snakeSection}. */
const FOREIGN = '?';

/** `idleTimeoutSecs` -> `idle_timeout_secs`; keys of the configuration file are written this way. */
export function toSnake(key: string): string {
  if (key.startsWith(FOREIGN)) return key.slice(FOREIGN.length);
  return key.replace(/[KMG]iB|[A-Z]+(?=[A-Z][a-z])|[A-Z]+/g, (caps) => `_${caps.toLowerCase()}`);
}

/**
 * Makes a section whose options are written in camel case readable from the file's snake case. Unknown keys stay as they
 * are, so that the strict schema reports them under the name the operator wrote; the code's own spelling is unknown too.
 */
export function snakeSection<S extends z.ZodType>(schema: S) {
  let keys: Keys | undefined;
  // Read only for a section that says something: most are left out of most files.
  return z.preprocess((value) => (isEmpty(value) ? value : rename(value, (keys ??= keysOf(schema)))), schema);
}

interface Keys {
  /** What the code calls a key of the file. */
  names: Map<string, string>;
  /** Keys whose values have keys of the operator's own, such as HOME_NET: those stay as they are. */
  records: Set<string>;
}

const isEmpty = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0;

function keysOf(schema: z.ZodType): Keys {
  const keys: Keys = { names: new Map(), records: new Set() };
  collectKeys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), keys);
  return keys;
}

function rename(value: unknown, keys: Keys): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, keys));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = /[A-Z]/.test(key) ? `${FOREIGN}${key}` : (keys.names.get(key) ?? key);
      return [name, keys.records.has(name) ? inner : rename(inner, keys)];
    }),
  );
}

/** An object with any keys: `z.record`. */
function isRecord(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || 'properties' in schema) return false;
  return 'additionalProperties' in schema && typeof schema.additionalProperties === 'object';
}

function collectKeys(schema: unknown, keys: Keys): void {
  if (Array.isArray(schema)) {
    for (const item of schema) collectKeys(item, keys);
    return;
  }
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties' && typeof inner === 'object' && inner !== null) {
      for (const [name, of] of Object.entries(inner)) {
        keys.names.set(toSnake(name), name);
        if (isRecord(of)) keys.records.add(name);
      }
    }
    collectKeys(inner, keys);
  }
}
