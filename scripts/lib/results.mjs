import { existsSync, readFileSync } from 'node:fs';
import { shorten } from './failure-text.mjs';

/**
 * @typedef {{test: string, detail?: string}} Failure name and file of a test or stage, and what it said
 * @typedef {{passed: number, failed: Failure[], skipped: string[]}} Results counts, failures, and names with reasons
 */

export const noResults = () => ({ passed: 0, failed: [], skipped: [] });

/**
 * Counts what lib/node-test-reporter.mjs wrote. A test file that registers no test is a failure: node reports the
 * file itself as passed.
 * @returns {Results}
 */
export function readNodeTestResults(path) {
  const results = noResults();
  if (!existsSync(path)) return results;
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line !== '') countNodeTest(results, JSON.parse(line));
  }
  return results;
}

function countNodeTest(results, { type, name, file, skip, todo, kind, failure, detail }) {
  const where = `${name} (${file})`;
  if (skip !== undefined) return results.skipped.push(`${where}: ${skip === true ? 'no reason given' : skip}`);
  if (todo !== undefined) return results.skipped.push(`${where}: to do: ${todo === true ? 'no reason given' : todo}`);
  if (type === 'test:fail') {
    // A suite whose tests failed is already counted by them; one whose hook failed is not.
    if (kind === 'suite' && failure === 'subtestsFailed') return undefined;
    return results.failed.push({ test: name === file ? `${file}: the file itself failed` : where, detail });
  }
  if (name === file) return results.failed.push({ test: `${file}: no test in this file` });
  if (kind !== 'suite') results.passed++;
  return undefined;
}

/**
 * Counts vitest's JSON report.
 * @returns {Results}
 */
export function readVitestResults(path) {
  const results = noResults();
  if (!existsSync(path)) return results;
  for (const file of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    if (file.assertionResults.length === 0) {
      results.failed.push({ test: `${file.name}: no test ran`, detail: shorten(file.message ?? '') });
    }
    for (const test of file.assertionResults) {
      const where = `${test.fullName} (${file.name})`;
      if (test.status === 'passed') results.passed++;
      else if (test.status === 'failed') results.failed.push({ test: where, detail: vitestText(test) });
      else results.skipped.push(`${where}: ${test.status}`);
    }
  }
  return results;
}

/** vitest hands over stacks: message, then frames. */
function vitestText({ failureMessages = [] }) {
  const inProject = (line) => !/^\s+at .*(node_modules|node:)/.test(line);
  return shorten(
    failureMessages
      .flatMap((text) => text.split('\n'))
      .filter(inProject)
      .join('\n'),
  );
}
