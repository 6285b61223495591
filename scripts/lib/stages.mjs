import { join } from 'node:path';
import { filesUnder } from './build.mjs';
import { readNodeTestResults, readVitestResults } from './results.mjs';

const bin = (name) => join('node_modules/.bin', name);

/** A check that passes or fails as a whole; it adds to the failures, never to the passed tests. */
const check = (name, command, args) => ({ name, files: [], limitSecs: 300, command: () => [bin(command), ...args] });

/** Tests of one folder, run by node from the TypeScript sources. */
const nodeTests = (name, { concurrency, limitSecs, root }) => ({
  name,
  root,
  limitSecs,
  files: (base) => filesUnder(join(base, 'test', name)).filter((file) => file.endsWith('.test.ts')),
  command: (files, report) => [
    process.execPath,
    ...['--import', 'tsx', '--test', `--test-concurrency=${concurrency}`],
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/lib/node-test-reporter.mjs', `--test-reporter-destination=${report}`],
    ...files,
  ],
  read: readNodeTestResults,
});

/**
 * The stages of `npm test`, in order. `files` says what a filter is matched against; `root` marks stages that make
 * network namespaces; `limitSecs` ends a stage that hangs.
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
  {
    name: 'console',
    limitSecs: 300,
    files: (base) => filesUnder(join(base, 'admin-ui/test/unit')).filter((file) => file.endsWith('.test.ts')),
    command: (files, report) => [
      ...[bin('vitest'), 'run', '--config', 'admin-ui/vitest.config.ts'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...files,
    ],
    read: readVitestResults,
  },
  nodeTests('integration', { concurrency: 1, limitSecs: 600, root: true }),
  nodeTests('e2e', { concurrency: 1, limitSecs: 600, root: true }),
];
