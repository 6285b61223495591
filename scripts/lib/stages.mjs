import { join } from 'node:path';
import { filesUnder } from './build.mjs';
import { compiledTest } from './compile-tests.mjs';
import { readNodeTestResults, readVitestResults } from './results.mjs';

const bin = (name) => join('node_modules/.bin', name);

/** A check that passes or fails as a whole; it adds to the failures, never to the passed tests. */
const check = (name, command, args) => ({ name, files: [], limitSecs: 600, command: () => [bin(command), ...args] });

/** Tests of one folder, run by node in their compiled form. */
const nodeTests = (name, { concurrency, limitSecs, root, onRequest = false }) => ({
  name,
  root,
  onRequest,
  programs: root,
  compiled: true,
  limitSecs,
  files: (base) => filesUnder(join(base, 'test', name)).filter((file) => file.endsWith('.test.ts')),
  command: (files, report, base) => [
    process.execPath,
    ...['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/lib/node-test-reporter.mjs', `--test-reporter-destination=${report}`],
    ...files.map((file) => compiledTest(base, file)),
  ],
  read: readNodeTestResults,
});

/** Tests of the console, run by vitest; those in a browser talk to a stand-in of the API. */
const consoleTests = (name, folder, config, programs = false) => ({
  name,
  programs,
  limitSecs: 300,
  files: (base) => filesUnder(join(base, folder)).filter((file) => file.endsWith('.test.ts')),
  command: (files, report) => [
    ...[bin('vitest'), 'run', '--config', config],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...files,
  ],
  read: readVitestResults,
});

/**
 * The stages of `npm test`, in order. `files` says what a filter is matched against; `programs`
 * marks stages that need the test programs, `root` those that also make network namespaces, `compiled` those that run compiled tests; `limitSecs` ends a stage that hangs,
 * `onRequest` marks stages that run only when they are named.
 */
export const STAGES = [
  check('typecheck', 'tsc', ['--noEmit', '-p', 'tsconfig.json', '--incremental', '--tsBuildInfoFile', '.cache/tsc']),
  check('typecheck-console', 'vue-tsc', ['--noEmit', '-p', 'admin-ui/tsconfig.json']),
  check('eslint', 'eslint', ['.', '--cache', '--cache-location', '.cache/eslint']),
  check('prettier', 'prettier', [
    '--check',
    '--log-level',
    'warn',
    '--cache',
    '--cache-location',
    '.cache/prettier',
    '.',
  ]),
  check('imports', 'depcruise', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src']),
  nodeTests('unit', { concurrency: 2, limitSecs: 400, root: false }),
  consoleTests('console', 'admin-ui/test/unit', 'admin-ui/vitest.config.ts'),
  consoleTests('console-browser', 'admin-ui/test/browser', 'admin-ui/vitest.browser.config.ts', true),
  nodeTests('replay', { concurrency: 2, limitSecs: 300, root: false }),
  nodeTests('integration', { concurrency: 2, limitSecs: 600, root: true }),
  nodeTests('e2e', { concurrency: 2, limitSecs: 600, root: true }),
  // What these assert is a time: nothing else may run beside them.
  nodeTests('timing', { concurrency: 1, limitSecs: 300, root: true }),
  // The Debian package in a booted Debian of its own: minutes.
  nodeTests('package', { concurrency: 1, limitSecs: 1500, root: true, onRequest: true }),
];
