import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { ingestOptionsSchema, SOURCE_KINDS } from '../../../src/ingest/index.js';
import { parsePolicy } from '../../../src/policy/index.js';

const text = readFileSync(new URL('../../../docs/operations/neighbours.md', import.meta.url), 'utf8');
const blocks = [...text.matchAll(/```yaml\n([^]*?)```/g)].map((match) => parse(match[1]!) as Record<string, unknown>);

describe('docs/operations/neighbours.md', () => {
  it('names every kind of source', () => {
    for (const kind of SOURCE_KINDS) assert.ok(text.includes(`\`${kind}\``), kind);
  });

  it('has a configuration and a policy that are accepted', () => {
    const config = blocks.find((block) => 'ingest' in block);
    assert.ok(ingestOptionsSchema.safeParse(config?.['ingest']).success, JSON.stringify(config));
    const condition = blocks.find((block) => 'when' in block);
    const rest = { format: 1, name: 'a', description: 'b', respond: { ladder: [{ action: 'block', duration: '1h' }] } };
    const policy = parsePolicy(stringify({ ...rest, ...condition }), 'a.yaml');
    assert.ok(policy.ok, JSON.stringify(policy));
  });
});
