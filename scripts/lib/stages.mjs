import { join } from 'node:path';
import { filesUnder } from './build.mjs';
import { compiledTest } from './compile-tests.mjs';
import { readNodeTestResults, readVitestResults } from './results.mjs';

const bin = (name) => join('node_modules/.bin', name);

/** A check that passes or fails as a whole; it adds to the failures, never to the passed tests. */
const check = (name, command, args) => ({
  name,
  lane: 'desk',
  files: [],
  limitSecs: 3600,
  command: () => [bin(command), ...args],
});

/**
 * A file that hangs ends after this; the others of its stage still run. Limits end what hangs and measure nothing: all here are
 * many times what two cores need.
 */
const FILE_LIMIT_SECS = 1500;

/** Tests of one folder, run by node in their compiled form. */
const nodeTests = (
  name,
  { lane, concurrency, limitSecs, root, onRequest = false, fileLimitSecs = FILE_LIMIT_SECS },
) => ({
  name,
  lane,
  root,
  onRequest,
  programs: root,
  compiled: true,
  limitSecs,
  files: (base) => filesUnder(join(base, 'test', name)).filter((file) => file.endsWith('.test.ts')),
  command: (files, report, base) => [
    process.execPath,
    ...[
      '--enable-source-maps',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${fileLimitSecs * 1000}`,
    ],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/lib/node-test-reporter.mjs', `--test-reporter-destination=${report}`],
    ...files.map((file) => compiledTest(base, file)),
  ],
  read: readNodeTestResults,
});

/**
 * Tests of the console, run by vitest; those in a browser talk to a stand-in of the API.
 * @param folders where the files are: the first, without the others.
 */
const consoleTests = (name, { lane, folders, config, browser = false }) => ({
  name,
  lane,
  programs: browser,
  limitSecs: 1800,
  files: (base) => {
    const [wanted, ...others] = folders.map((folder) => filesUnder(join(base, 'admin-ui/test', folder)));
    return wanted.filter((file) => file.endsWith('.test.ts') && !others.flat().includes(file));
  },
  command: (files, report) => [
    ...[bin('vitest'), 'run', '--config', join('admin-ui', config)],
    ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...files,
  ],
  read: readVitestResults,
});

/**
 * The stages of `npm test`. Two lanes run side by side, each in the order given here: stages of the `lab` wait for packets and
 * timers more than they compute, those of the `desk` take the time that is left, at a low priority. A stage that runs `alone`
 * comes after both.
 *
 * `files` says what a filter is matched against; `programs` marks stages that need the test programs and the build, `root` those
 * that also make network namespaces, `compiled` those that run compiled tests; `limitSecs` ends a stage that hangs,
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
  nodeTests('unit', { lane: 'desk', concurrency: 2, limitSecs: 3600, root: false }),
  consoleTests('console', { lane: 'desk', folders: ['unit'], config: 'vitest.config.ts' }),
  nodeTests('replay', { lane: 'desk', concurrency: 2, limitSecs: 3600, root: false }),
  nodeTests('e2e', { lane: 'lab', concurrency: 2, limitSecs: 3600, root: true }),
  // These wait for servers and retries more than they compute.
  nodeTests('integration', { lane: 'lab', concurrency: 6, limitSecs: 3600, root: true }),
  consoleTests('console-browser', {
    lane: 'lab',
    folders: ['browser', 'browser/timing'],
    config: 'vitest.browser.config.ts',
    browser: true,
  }),
  // What these assert is a time: nothing else may run beside them.
  nodeTests('timing', { lane: 'alone', concurrency: 1, limitSecs: 1800, root: true }),
  consoleTests('console-timing', {
    lane: 'alone',
    folders: ['browser/timing'],
    config: 'vitest.browser.config.ts',
    browser: true,
  }),
  // The Debian package in a booted Debian of its own: minutes, and as many more the first time, when that Debian is made.
  nodeTests('package', {
    lane: 'alone',
    concurrency: 1,
    limitSecs: 3600,
    root: true,
    onRequest: true,
  }),
];
