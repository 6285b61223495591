import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { createOpenApi } from '../src/api/index.js';

/** Writes docs/openapi.json from the contract; `--check` only says whether it is up to date. */
const target = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));
const packageFile = fileURLToPath(new URL('../package.json', import.meta.url));
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };
const text = await format(JSON.stringify(createOpenApi(version)), { parser: 'json', printWidth: 120 });

if (!process.argv.includes('--check')) writeFileSync(target, text);
else if (readFileSync(target, 'utf8') !== text) {
  process.stderr.write('docs/openapi.json differs from the contract: run npx tsx scripts/openapi.ts\n');
  process.exitCode = 1;
}
