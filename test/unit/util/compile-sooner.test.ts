import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { COMPILER_OPTIONS, compileLater, compileSooner } from '../../../src/util/compile-sooner.js';

test('the options that say what V8 compiles and when are ones that this Node knows', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const isKnown = (option: string): boolean => known.includes(`${option} (`);
  assert.deepEqual(
    COMPILER_OPTIONS.filter((option) => !isKnown(option)),
    [],
  );
  assert.ok(!isKnown(`${COMPILER_OPTIONS[0]}-of-none`));
  assert.doesNotThrow(compileLater);
  assert.doesNotThrow(compileSooner);
});
