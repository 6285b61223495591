import { z } from 'zod';
import { configSchema } from './options.js';
import { toSnake } from './snake.js';

/** A key of the configuration file. */
export interface ConfigKey {
  /** As in the file: `policy.home_networks`. */
  key: string;
  /** Where its value lies in the loaded configuration. */
  path: readonly string[];
  description: string;
  /** Undefined: not set unless somebody sets it. */
  default: unknown;
  schema: Record<string, unknown>;
}

interface JsonSchema {
  [name: string]: unknown;
  description?: string;
  default?: unknown;
  properties?: Record<string, JsonSchema>;
}

function collect(schema: JsonSchema, path: readonly string[], out: ConfigKey[]): void {
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const here = [...path, name];
    if (inner.properties) {
      collect(inner, here, out);
      continue;
    }
    const { description = '', default: value, ...rest } = inner;
    out.push({ key: here.map(toSnake).join('.'), path: here, description, default: value, schema: rest });
  }
}

let known: readonly ConfigKey[] | undefined;

/** Every key of the configuration, in the order of the file. */
export function configKeys(): readonly ConfigKey[] {
  return (known ??= readKeys());
}

function readKeys(): ConfigKey[] {
  const out: ConfigKey[] = [];
  collect(z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema, [], out);
  return out;
}
