import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKeyword } from '../../../../src/detect/signature/compile.js';
import { languageReference, loadRules } from '../../../../src/detect/signature/index.js';
import { KEYWORDS, REFUSED_RULES, TAKEN } from './acceptance-cases.js';
import { REFUSED_TOGETHER, TAKEN_TOGETHER } from './acceptance-together.js';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** Why a rule, written as its protocol and its options, is not loaded; empty when it is. */
function reasons(line: string): string[] {
  const space = line.indexOf(' ');
  const text = `alert ${line.slice(0, space)} any any -> any any (${line.slice(space + 1)}; sid:1;)`;
  return loadRules([{ file: 'a.rules', text }]).problems.map((p) => p.reason);
}

describe('rules are taken and refused as Suricata does it:', () => {
  test('those that it loads are loaded', () => {
    for (const line of [...lines(TAKEN), ...lines(TAKEN_TOGETHER)]) assert.deepEqual(reasons(line), [], line);
  });

  test('those that it refuses are refused, with a reason', () => {
    for (const line of [...lines(REFUSED_RULES), ...lines(REFUSED_TOGETHER)]) {
      const [reason, ...more] = reasons(line);
      assert.ok(reason !== undefined && reason.length > 10 && more.length === 0, line);
    }
  });

  test('every keyword is understood, or refused with a reason', () => {
    const refused = new Map(languageReference().refused);
    for (const name of KEYWORDS.split(/\s+/).filter((n) => n !== ''))
      assert.notEqual(isKeyword(name), refused.has(name), name);
    assert.deepEqual([...refused.keys()], ['lua', 'luajit', 'luaxform']);
  });
});

describe('requires:', () => {
  const isLoaded = (value: string, more = ''): boolean => {
    const { rules, problems } = loadRules([{ file: 'a', text: `alert ip any any -> any any (requires:${value}; ${more} sid:1;)` }]); // prettier-ignore
    assert.deepEqual(problems, []);
    return rules.length === 1;
  };
  for (const [value, loaded] of [
    ['version >= 7', true],
    ['version >= 7.0.11', false],
    ['version >= 7.0.10', true],
    ['version < 7.0.10', false],
    ['version >= 7.0.3 < 8', true],
    ['version >= 8 | < 7.1', true],
    ['version >= 8, keyword bsize', false],
    ['keyword bsize', true],
    ['keyword lua', false],
    ['keyword http.uri', true],
    ['keyword nothing.like.it', false],
    ['feature ja3', true],
    ['feature unheard of', false],
    ['something else', false],
  ] as const)
    test(value, () => {
      assert.equal(isLoaded(value), loaded);
    });

  test('a rule that is not wanted here may use keywords that nobody knows', () => {
    assert.equal(isLoaded('version >= 9', 'from_the_future:1;'), false);
  });
});
