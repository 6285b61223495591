import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { signaturesDocument } from '../../../scripts/signatures-doc.js';

test('docs/signatures.md has the tables of the rule compiler', async () => {
  const hint = 'run npx tsx scripts/signatures-doc.ts';
  assert.ok((await readFile('docs/signatures.md', 'utf8')) === (await signaturesDocument()), hint);
});
