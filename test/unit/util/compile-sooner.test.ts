import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { BUDGET_OPTION, compileSooner } from '../../../src/util/compile-sooner.js';

test('the option that makes V8 compile sooner is one that this Node knows', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  const isKnown = (option: string): boolean => known.includes(`${option} (`);
  assert.ok(isKnown(BUDGET_OPTION));
  assert.ok(!isKnown(`${BUDGET_OPTION}-of-none`));
  assert.doesNotThrow(compileSooner);
});
