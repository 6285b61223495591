import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';

interface Failure {
  test: string;
  detail?: string;
}
interface Totals {
  passed: number;
  failed: Failure[];
  skipped: string[];
  checks: number;
}

const script = (name: string): string => fileURLToPath(new URL(`../../../scripts/lib/${name}`, import.meta.url));
const { readNodeTestResults, readVitestResults } = (await import(script('results.mjs'))) as Record<
  'readNodeTestResults' | 'readVitestResults',
  (path: string) => Omit<Totals, 'checks'>
>;
const { summarise } = (await import(script('summary.mjs'))) as {
  summarise: (totals: Totals, options: { ci: boolean; root: string }) => { lines: string[]; failures: number };
};

const dir = mkdtempSync(join(tmpdir(), 'portcullis-failures-'));
after(() => rmSync(dir, { recursive: true }));

/** The end of the log after test files ran as `npm test` runs them. */
function logOf(files: Record<string, string>): string[] {
  const paths = Object.entries(files).map(([name, code]) => {
    writeFileSync(join(dir, name), `import assert from 'node:assert/strict';\nimport test from 'node:test';\n${code}`);
    return join(dir, name);
  });
  const report = join(dir, 'report');
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const reporter = [`--test-reporter=${script('node-test-reporter.mjs')}`, `--test-reporter-destination=${report}`];
  spawnSync(process.execPath, ['--test', ...reporter, ...paths], { env });
  return summarise({ ...readNodeTestResults(report), checks: 0 }, { ci: true, root: dir }).lines;
}

/** The lines told of one failed test. */
function told(lines: string[], name: string): string {
  const start = lines.findIndex((line) => line.startsWith('FAILED: ') && line.includes(name));
  assert.notEqual(start, -1, `${name} is not among:\n${lines.join('\n')}`);
  const length = lines.slice(start + 1).findIndex((line) => !line.startsWith('    '));
  return lines.slice(start, start + 1 + length).join('\n');
}

test('the end of the log tells of each failed test its file, what was compared, and where', () => {
  const lines = logOf({
    'compare.mjs': `
      test('values', () => assert.equal(41, 42));
      test('objects', () => assert.deepEqual({ a: 1, same: 7, list: [1, 2, 3, 4, 5, 6] }, { a: 2, same: 7, list: [1, 2, 3, 4, 5, 0] }));
      test('own message', () => assert.ok([].length > 0, 'nobody came'));
      test('within', () => { throw new TypeError('outer', { cause: new RangeError('inner') }); });
      test('fine', () => {});`,
    'slow.mjs': `
      test('never ends', { timeout: 20 }, ({ signal }) => new Promise((done) => {
        const timer = setTimeout(done, 600_000);
        signal.addEventListener('abort', () => clearTimeout(timer));
      }));`,
  });
  assert.equal(lines.at(-1), '1 passed, 5 failed');
  assert.match(told(lines, 'values'), /^FAILED: values \(compare\.mjs\)\n {4}after [\d.]+ s: AssertionError: .*equal/);
  assert.match(told(lines, 'values'), /41 !== 42\n(.*\n)*? {4}at .*compare\.mjs:\d+/);
  assert.match(told(lines, 'objects'), /\+ +a: 1(.*\n)+.*- +a: 2/);
  assert.doesNotMatch(told(lines, 'objects'), /same/);
  assert.match(told(lines, 'own message'), /nobody came\n.*actual \(==\): false\n.*expected: true/);
  assert.match(told(lines, 'within'), /TypeError: outer\n.*caused by RangeError: inner/);
  assert.match(told(lines, 'never ends'), /slow\.mjs\)\n.*timed out after 20ms/);
});

test('a file that could not be loaded is told with what it said on standard error', () => {
  const lines = logOf({ 'broken.mjs': `import './nowhere.mjs';` });
  assert.match(told(lines, 'broken.mjs: the file itself failed'), /exit code 1\n(.*\n)*.*Cannot find module .*nowhere/);
});

test('what is long is told in few and short lines', () => {
  const text = told(
    logOf({
      'long.mjs': `
        const lines = (word) => Array.from({ length: 400 }, (_, i) => word + i).join('\\n');
        test('long', () => assert.fail(lines('line ') + 'x'.repeat(9999)));`,
    }),
    'long',
  );
  const lines = text.split('\n');
  assert.ok(lines.length <= 16, `${lines.length} lines`);
  assert.ok(Math.max(...lines.map((line) => line.length)) < 300);
  assert.match(text, /line 0\n(.*\n)*.*lines left out\n/);
  assert.match(text, /at .*long\.mjs:\d+/);
});

test('many failures share the end of the log', () => {
  const detail = Array.from({ length: 15 }, (_, i) => `line ${i}`).join('\n');
  const failed = Array.from({ length: 100 }, (_, i) => ({ test: `test ${i}`, detail }));
  const { lines, failures } = summarise({ passed: 5, failed, skipped: [], checks: 0 }, { ci: true, root: dir });
  assert.equal(failures, 100);
  assert.ok(lines.length <= 401, `${lines.length} lines`);
  for (const { test: name } of failed) assert.match(told(lines, name), /line 0/);
});

test('what vitest reports is told without the frames of its own', () => {
  const path = join(dir, 'vitest.json');
  const failureMessages = [
    `AssertionError: expected 1 to be 2 // Object.is equality\n    at ${dir}/a.test.ts:3:5\n    at file://${dir}/node_modules/vitest/x.js:1:1`,
  ];
  const assertionResults = [{ status: 'failed', fullName: 'counts', failureMessages }];
  writeFileSync(path, JSON.stringify({ testResults: [{ name: `${dir}/a.test.ts`, assertionResults }] }));
  const { lines } = summarise({ ...readVitestResults(path), checks: 0 }, { ci: true, root: dir });
  assert.deepEqual(lines, [
    'FAILED: counts (a.test.ts)',
    '    AssertionError: expected 1 to be 2 // Object.is equality',
    '        at a.test.ts:3:5',
    '0 passed, 1 failed',
  ]);
});

test('a skip for want of something fails in CI and nowhere else, and nothing done is no success', () => {
  const totals = { passed: 3, failed: [], skipped: ['scans (a.test.ts): nmap is not installed'], checks: 0 };
  assert.equal(summarise(totals, { ci: false, root: dir }).failures, 0);
  const { lines, failures } = summarise(totals, { ci: true, root: dir });
  assert.equal(failures, 1);
  assert.equal(lines.at(-1), '3 passed, 1 failed, 1 skipped');
  const nothing = { passed: 0, failed: [], skipped: [], checks: 0 };
  assert.equal(summarise(nothing, { ci: false, root: dir }).failures, 1);
  assert.equal(summarise({ ...nothing, checks: 1 }, { ci: false, root: dir }).failures, 0);
});
