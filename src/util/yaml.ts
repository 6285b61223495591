import {
  LineCounter,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import { errorMessage } from './errors.js';

/** One thing wrong with a file, at the place where it is wrong. */
export interface FileProblem {
  file: string;
  line: number;
  column: number;
  /** Dotted path in the file, empty for the whole file. */
  path: string;
  message: string;
}

/**
 * Parses YAML text against a schema; every problem with its line and column.
 * @param toFileKey how a key of the schema is spelled in the file, where the two differ.
 */
export function parseYaml<S extends z.ZodType>(
  text: string,
  file: string,
  schema: S,
  toFileKey: (key: string) => string = (key) => key,
): { ok: true; value: z.output<S> } | { ok: false; problems: FileProblem[] } {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  if (doc.errors.length > 0) {
    const problems = doc.errors.map((error) => {
      const at = lines.linePos(error.pos[0]);
      return { file, line: at.line, column: at.col, path: '', message: error.message };
    });
    return { ok: false, problems };
  }
  let data: unknown;
  try {
    data = doc.toJS({ maxAliasCount: 20 });
  } catch (error) {
    return { ok: false, problems: [{ file, line: 1, column: 1, path: '', message: errorMessage(error) }] };
  }
  const result = schema.safeParse(data);
  if (result.success) return { ok: true, value: result.data };
  const problems = result.error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path];
    return paths.map((keys) => {
      const place = locate(doc, keys, toFileKey);
      const at = lines.linePos(place.offset);
      const message = issue.code === 'unrecognized_keys' ? 'unknown key' : readable(issue.message);
      return { file, line: at.line, column: at.col, path: place.path, message };
    });
  });
  return { ok: false, problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
}

/** Zod's word for a key that is not there. */
function readable(message: string): string {
  return message.endsWith('received undefined') ? 'is missing' : message;
}

/** `file:line:column: path: message`, as compilers print it. */
export function formatProblem(problem: FileProblem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column}: ${path}${problem.message}`;
}

/** Offset of the deepest node of the path that exists in the text, and the path in the file's spelling. */
function locate(
  doc: Document,
  path: readonly string[],
  toFileKey: (key: string) => string,
): { offset: number; path: string } {
  let node: unknown = doc.contents;
  let offset = (doc.contents as Node | null)?.range?.[0] ?? 0;
  const names: string[] = [];
  for (const key of path) {
    let name = toFileKey(key);
    if (isMap(node)) {
      const pair = findPair(node, key) ?? findPair(node, name);
      if (pair) name = String((pair.key as Scalar).value);
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset;
      node = pair?.value;
    } else if (isSeq(node)) {
      node = node.items[Number(key)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    }
    names.push(name);
  }
  return { offset, path: names.join('.') };
}

function findPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
}
