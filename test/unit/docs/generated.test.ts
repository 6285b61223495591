import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { configDocument, configSchemaText } from '../../../scripts/config-doc.js';
import { collectErrors, errorsDocument } from '../../../scripts/errors-doc.js';
import { policySchemaText } from '../../../scripts/policy-schema.js';

test('docs/errors.md names every error code of the source, and no other', async () => {
  assert.equal(
    await readFile('docs/errors.md', 'utf8'),
    await errorsDocument('src'),
    'run npx tsx scripts/errors-doc.ts',
  );
  assert.ok(collectErrors('src').length > 30);
});

test('docs/configuration.md and its JSON Schema are those of the program', async () => {
  const hint = 'run npx tsx scripts/config-doc.ts';
  assert.ok((await readFile('docs/configuration.md', 'utf8')) === (await configDocument()), hint);
  assert.ok((await readFile('docs/portcullis.schema.json', 'utf8')) === (await configSchemaText()), hint);
});

test('docs/policy.schema.json is the schema that policies are checked with', async () => {
  assert.ok(
    (await readFile('docs/policy.schema.json', 'utf8')) === (await policySchemaText()),
    'run npx tsx scripts/policy-schema.ts',
  );
});
