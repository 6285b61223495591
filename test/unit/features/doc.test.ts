import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { featuresDocument } from '../../../scripts/features-doc.js';
import { FLOW_SCHEMA, KDD_SCHEMA } from '../../../src/features/index.js';

const written = readFileSync(new URL('../../../docs/features.md', import.meta.url), 'utf8');

test('docs/features.md is what the schemas generate', async () => {
  assert.equal(written, await featuresDocument(), 'run npx tsx scripts/features-doc.ts');
});

test('docs/features.md names every feature', () => {
  for (const f of [...FLOW_SCHEMA.features, ...KDD_SCHEMA.features])
    assert.ok(written.includes(`\`${f.name}\``), f.name);
});
