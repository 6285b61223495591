/** Writes docs/policy.schema.json, for editors that check policy files while they are written. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { policyJsonSchema } from '../src/policy/index.js';

export function policySchemaText(): Promise<string> {
  return format(JSON.stringify(policyJsonSchema()), { parser: 'json', printWidth: 120 });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync('docs/policy.schema.json', await policySchemaText());
}
