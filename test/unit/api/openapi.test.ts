import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { createOpenApi } from '../../../src/api/index.js';
import { OPERATIONS } from '../../../src/contract/http.js';

const root = new URL('../../../', import.meta.url);
const readJson = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

describe('OpenAPI document', () => {
  const { version } = readJson('package.json') as { version: string };

  it('is committed as the contract makes it (else run npx tsx scripts/openapi.ts)', () => {
    assert.deepEqual(readJson('docs/openapi.json'), JSON.parse(JSON.stringify(createOpenApi(version))));
  });

  it('names every operation once, with its access and a problem for everything that fails', () => {
    const { paths } = createOpenApi(version) as { paths: Record<string, Record<string, Record<string, unknown>>> };
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    assert.deepEqual(operations.map((o) => o['operationId']).sort(), Object.keys(OPERATIONS).sort());
    for (const operation of operations) {
      const responses = operation['responses'] as Record<string, unknown>;
      assert.ok('default' in responses && '429' in responses, String(operation['operationId']));
      assert.equal('security' in operation, operation['x-access'] !== 'public');
    }
  });
});
