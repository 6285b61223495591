import assert from 'node:assert/strict';
import { loadRules, type Rule } from '../../../../src/detect/signature/index.js';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';

/** Compiles one rule; fails the test when it does not load. */
export function compile(text: string): Rule {
  const { rules, problems } = loadRules([{ file: 'test.rules', text }]);
  assert.deepEqual(problems, []);
  assert.equal(rules.length, 1);
  return rules[0]!;
}

/** The first problem of a rule text. */
export function problemOf(text: string): { line: number; column: number; reason: string; keyword?: string } {
  const { problems } = loadRules([{ file: 'test.rules', text }]);
  assert.equal(problems.length, 1, `expected one problem of ${text}`);
  return problems[0]!;
}

/** True when payload options match Latin-1 text. */
export function payloadMatches(options: string, text: string, streamStart = 0): boolean {
  const rule = compile(`alert tcp any any -> any any (${options} sid:1;)`);
  return new Inspector().run(rule.payload, Buffer.from(text, 'latin1'), streamStart);
}
