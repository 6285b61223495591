import { parseYaml, type FileProblem } from '../util/yaml.js';
import { policySchema, type Policy } from './schema.js';

export type ParseResult = { ok: true; policy: Policy } | { ok: false; problems: FileProblem[] };

/**
 * Reads one policy file. Every problem is reported at once with its line and column; nothing is thrown.
 * @param version number given to this text by the version history; 0 for a file that was never stored.
 */
export function parsePolicy(text: string, file: string, version = 0): ParseResult {
  const parsed = parseYaml(text, file, policySchema);
  return parsed.ok ? { ok: true, policy: { ...parsed.value, version, source: file } } : parsed;
}
