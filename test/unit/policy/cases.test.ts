import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test from 'node:test';
import { loadPolicyFolder, policyCasesSchema, runPolicyCase } from '../../../src/policy/index.js';
import { parseYaml } from '../../../src/util/yaml.js';

const folder = await loadPolicyFolder('policies');

test('every shipped policy file is valid', () => {
  assert.deepEqual(folder.problems, []);
  assert.ok(folder.policies.length >= 6);
});

test('every shipped policy has cases, and every case holds', async () => {
  const tested = new Set<string>();
  for (const file of await readdir('policies/tests')) {
    const parsed = parseYaml(await readFile(`policies/tests/${file}`, 'utf8'), file, policyCasesSchema);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    tested.add(parsed.value.policy);
    for (const policyCase of parsed.value.cases) {
      const result = runPolicyCase(folder.policies, policyCase);
      assert.deepEqual(result.differences, [], `${file}: ${policyCase.name}`);
    }
  }
  assert.deepEqual(
    folder.policies.map((p) => p.name).filter((name) => !tested.has(name)),
    [],
  );
});

test('a case that expects the wrong thing fails', () => {
  const cases = policyCasesSchema.parse({
    policy: 'scan',
    cases: [{ name: 'wrong on purpose', alert: { label: 'port_scan' }, expect: { outcome: 'act', scope: 'cidr' } }],
  });
  const result = runPolicyCase(folder.policies, cases.cases[0]!);
  assert.equal(result.passed, false);
  assert.match(result.differences[0] ?? '', /scope: expected cidr, got ip/);
});
