import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Results {
  passed: number;
  failed: { test: string; detail?: string }[];
  skipped: string[];
}

const script = (name: string): string => fileURLToPath(new URL(`../../../scripts/lib/${name}`, import.meta.url));
const { readNodeTestResults, readVitestResults } = (await import(script('results.mjs'))) as {
  readNodeTestResults: (path: string) => Results;
  readVitestResults: (path: string) => Results;
};

const dir = mkdtempSync(join(tmpdir(), 'portcullis-results-'));
after(() => rmSync(dir, { recursive: true }));

/** Runs test files as `npm test` does and counts. */
function count(files: Record<string, string>): Results {
  const paths = Object.entries(files).map(([name, code]) => {
    const path = join(dir, name);
    writeFileSync(path, `import { before, describe, it, test } from 'node:test';\n${code}`);
    return path;
  });
  const report = join(dir, 'report');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const reporter = [`--test-reporter=${script('node-test-reporter.mjs')}`, `--test-reporter-destination=${report}`];
  spawnSync(process.execPath, ['--test', ...reporter, ...paths], { env });
  const results = readNodeTestResults(report);
  rmSync(report);
  return results;
}

test('passed, failed, skipped and unfinished tests are counted once each, suites not at all', () => {
  const results = count({
    'mixed.mjs': `
      test('good', () => {});
      describe('suite', () => { it('inside', () => {}); it('bad', () => { throw new Error('x'); }); });
      test('no tool', { skip: 'tool is missing' }, () => {});
      test('later', { todo: 'not yet' }, () => { throw new Error('x'); });`,
  });
  assert.equal(results.passed, 2);
  assert.deepEqual(
    results.failed.map(({ test }) => test.split(' ')[0]),
    ['bad'],
  );
  assert.equal(results.skipped.length, 2);
  assert.match(results.skipped.join(), /tool is missing.*to do: not yet/);
});

const BAD_FILES: Record<string, string> = {
  'a file without a test': '',
  'a file that cannot be loaded': `throw new Error('x');`,
  'a file that ends badly after its tests': `test('good', () => {}); setTimeout(() => process.exit(7), 50);`,
  'a suite whose hook fails': `describe('suite', () => { before(() => { throw new Error('x'); }); it('never', () => {}); });`,
};
for (const [name, code] of Object.entries(BAD_FILES)) {
  test(`${name} is a failure`, () => {
    assert.ok(count({ 'bad.mjs': code }).failed.length > 0);
  });
}

test('a report that is not there counts nothing, which the runner takes as a failure', () => {
  assert.deepEqual(readNodeTestResults(join(dir, 'nothing')), { passed: 0, failed: [], skipped: [] });
});

test('vitest reports are counted, and a file that could not run is a failure', () => {
  const path = join(dir, 'vitest.json');
  const result = (status: string) => ({ status, fullName: `a ${status} test` });
  const testResults = [
    { name: 'good.test.ts', assertionResults: [result('passed'), result('failed'), result('skipped')] },
    { name: 'broken.test.ts', message: 'syntax error', assertionResults: [] },
  ];
  writeFileSync(path, JSON.stringify({ testResults }));
  const { passed, failed, skipped } = readVitestResults(path);
  assert.equal(passed, 1);
  assert.equal(failed.length, 2);
  assert.deepEqual(failed.at(-1), { test: 'broken.test.ts: no test ran', detail: 'syntax error' });
  assert.equal(skipped.length, 1);
});
