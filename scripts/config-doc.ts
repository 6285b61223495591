/** Writes docs/configuration.md and docs/portcullis.schema.json from the configuration's own schema. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { configSchema } from '../src/config/index.js';
import { toSnake } from '../src/config/snake.js';

interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  required?: string[];
  additionalProperties?: unknown;
}

/** Keys of sections whose names are the operator's own. */
function snake(schema: JsonSchema): JsonSchema {
  const out: JsonSchema = { ...schema };
  if (schema.properties) {
    out.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, inner]) => [toSnake(key), snake(inner)]),
    );
  }
  if (schema.required) out.required = schema.required.map(toSnake);
  if (schema.items) out.items = snake(schema.items);
  for (const key of ['anyOf', 'oneOf', 'allOf'] as const) {
    const list = schema[key];
    if (list) out[key] = list.map(snake);
  }
  return out;
}

export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    unrepresentable: 'any',
    override({ jsonSchema, path }) {
      // The host's own name is not part of the schema.
      if (path.join('.') === 'properties.name') delete jsonSchema.default;
    },
  }) as JsonSchema;
  return snake(schema);
}

function describeType(s: JsonSchema): string {
  if (s.enum) return s.enum.map((v) => `\`${String(v)}\``).join(', ');
  if (s.const !== undefined) return `\`${String(s.const)}\``;
  const options = s.anyOf ?? s.oneOf;
  if (options) return [...new Set(options.map(describeType))].join(' or ');
  const range =
    s.minimum !== undefined && s.maximum !== undefined && Math.abs(s.minimum) < 1e15 && s.maximum < 1e15
      ? ` ${s.minimum} to ${s.maximum}`
      : '';
  const type = Array.isArray(s.type) ? s.type.join(' or ') : (s.type ?? 'object');
  return type === 'array' ? `list of ${s.items ? describeType(s.items) : 'anything'}` : `${type}${range}`;
}

function rows(schema: JsonSchema, path: string, out: string[]): void {
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const name = path === '' ? key : `${path}.${key}`;
    const target = inner.type === 'array' ? inner.items : inner;
    const isSection = inner.properties !== undefined;
    if (!isSection) {
      const value = inner.default === undefined ? '' : `\`${JSON.stringify(inner.default)}\``;
      const text = (inner.description ?? '').replaceAll('|', '\\|').replace(/\s+/g, ' ');
      out.push(`| \`${name}\` | ${describeType(inner)} | ${value.replaceAll('|', '\\|')} | ${text} |`);
    }
    if (target?.properties) rows(target, isSection ? name : `${name}[]`, out);
  }
}

export async function configDocument(): Promise<string> {
  const schema = configJsonSchema();
  const parts = [
    '# Configuration',
    '',
    'One YAML file, given with `--config`, else `portcullis.yaml` in the working directory, else `/etc/portcullis/portcullis.yaml`,',
    'else the defaults below. Every key is optional. Unknown keys are errors; `portcullis check` prints every problem with its',
    'line. Relative paths are relative to the file. `PORTCULLIS_STORE_PASSWORD` gives the database password. An editor that',
    'understands JSON Schema can use `docs/portcullis.schema.json`. Made by `npx tsx scripts/config-doc.ts`.',
  ];
  const top: string[] = [];
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const section: string[] = [];
    rows({ properties: { [key]: inner } }, '', section);
    if (inner.properties)
      parts.push('', `## ${key}`, '', '| key | type | default | what it is |', '| --- | --- | --- | --- |', ...section);
    else top.push(...section);
  }
  parts.splice(
    7,
    0,
    '',
    '## The box',
    '',
    '| key | type | default | what it is |',
    '| --- | --- | --- | --- |',
    ...top,
  );
  return format(`${parts.join('\n')}\n`, { parser: 'markdown', printWidth: 120 });
}

export async function configSchemaText(): Promise<string> {
  return format(JSON.stringify(configJsonSchema()), { parser: 'json', printWidth: 120 });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync('docs/configuration.md', await configDocument());
  writeFileSync('docs/portcullis.schema.json', await configSchemaText());
}
