import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';

/** The part of JSON Schema that a policy file uses. */
export interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  const?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}

/** Where the cursor is: the keys above it, and the key whose value is being written, if any. */
export interface YamlPlace {
  path: string[];
  key: string | null;
  /** Keys that the same mapping has already, as far as they stand before the cursor. */
  used: string[];
  /** Start of the word before the cursor. */
  from: number;
}

const KEY = /^(\s*(?:- )*)([\w-]+):(?:\s|$)/;

/** The place of `pos` in a YAML text of block mappings with flow mappings and lists in them. */
export function yamlPlace(text: string, pos: number): YamlPlace {
  const before = text.slice(0, pos);
  const word = /[\w-]*$/.exec(before)?.[0] ?? '';
  const from = pos - word.length;
  const lines = before.split('\n');
  const line = lines.pop() ?? '';
  const block = blockPath(lines, indentOf(line));
  const own = KEY.exec(line);
  if (!own && !/^\s*(?:- )*\{/.test(line)) return { path: block.path, key: null, used: block.used, from };
  const flow = flowPlace(line.slice(own ? own[0].length : indentOf(line)));
  if (!own) return { ...flow, path: [...block.path, ...flow.path], from };
  return { path: [...block.path, own[2] ?? '', ...flow.path], key: flow.key, used: flow.used, from };
}

const indentOf = (line: string): number => /^\s*(?:- )*/.exec(line)?.[0].length ?? 0;

/** Keys of the mappings around a line that is indented by `indent`, outermost first. */
function blockPath(lines: string[], indent: number): { path: string[]; used: string[] } {
  const path: string[] = [];
  const used: string[] = [];
  let limit = indent;
  for (const line of [...lines].reverse()) {
    const match = KEY.exec(line);
    if (!match || line.trimStart().startsWith('#')) continue;
    const depth = match[1]?.length ?? 0;
    if (depth === indent && limit === indent) used.push(match[2] ?? '');
    if (depth < limit) {
      path.unshift(match[2] ?? '');
      limit = depth;
    }
  }
  return { path, used };
}

/** The place inside what follows a key on its line: `{ a: 1, b: [x, ` and so on. */
function flowPlace(text: string): { path: string[]; key: string | null; used: string[] } {
  const path: string[] = [];
  const stack: { used: string[]; key: string }[] = [];
  let token = '';
  let key: string | null = '';
  let used: string[] = [];
  for (const char of text) {
    if (char === '{' || char === '[') {
      stack.push({ used, key: key ?? '' });
      if (key) path.push(key);
      used = [];
      key = char === '{' ? null : '';
      token = '';
    } else if (char === '}' || char === ']') {
      const outer = stack.pop();
      used = outer?.used ?? [];
      key = outer?.key ?? '';
      if (key) path.pop();
      token = '';
    } else if (char === ':') {
      key = token.trim();
      used.push(key);
      token = '';
    } else if (char === ',') {
      if (key) key = null;
      token = '';
    } else token += char;
  }
  // An empty key means the value of the key that opened the line or the list.
  if (key) return { path: [...path, key], key: '', used };
  return { path, key, used };
}

/** The schema at the end of a path; lists count as what they hold. */
export function schemaAt(root: JsonSchema, path: string[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = root;
  for (const key of path) at = unlist(at)?.properties?.[key];
  return unlist(at);
}

function unlist(schema: JsonSchema | undefined): JsonSchema | undefined {
  return schema?.items ? unlist(schema.items) : schema;
}

function valuesOf(schema: JsonSchema): unknown[] {
  if (schema.const !== undefined) return [schema.const];
  if (schema.enum) return schema.enum;
  return schema.type === 'boolean' ? [true, false] : [];
}

/** What may stand at the cursor: keys that are not there yet, or the values of the key. */
export function completions(root: JsonSchema, place: YamlPlace): Completion[] {
  const schema = schemaAt(root, place.path);
  if (!schema) return [];
  if (place.key !== null || valuesOf(schema).length > 0) {
    return valuesOf(schema).map((value) => ({ label: String(value), type: 'enum' }));
  }
  return Object.entries(schema.properties ?? {})
    .filter(([key]) => !place.used.includes(key))
    .map(([key, value]) => ({
      label: key,
      type: 'property',
      apply: `${key}: `,
      ...(value.description ? { info: value.description } : {}),
      ...(value.default !== undefined && typeof value.default !== 'object' ? { detail: String(value.default) } : {}),
      ...(schema.required?.includes(key) ? { boost: 1 } : {}),
    }));
}

export function schemaCompletion(root: () => JsonSchema | null) {
  return (context: CompletionContext): CompletionResult | null => {
    const schema = root();
    if (!schema) return null;
    const place = yamlPlace(context.state.doc.toString(), context.pos);
    if (!context.explicit && place.from === context.pos) return null;
    const options = completions(schema, place);
    return options.length > 0 ? { from: place.from, options, validFor: /^[\w-]*$/ } : null;
  };
}
