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
  const names = new Map<string, string>();
  collectKeys(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), names);
  return z.preprocess((value) => rename(value, names), schema);
}

function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      /[A-Z]/.test(key) ? `${FOREIGN}${key}` : (names.get(key) ?? key),
      rename(inner, names),
    ]),
  );
}

function collectKeys(schema: unknown, names: Map<string, string>): void {
  if (Array.isArray(schema)) {
    for (const item of schema) collectKeys(item, names);
    return;
  }
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, inner] of Object.entries(schema)) {
    if (key === 'properties' && typeof inner === 'object' && inner !== null) {
      for (const name of Object.keys(inner)) names.set(toSnake(name), name);
    }
    collectKeys(inner, names);
  }
}
