import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Effort, searchesGivenUp, Subject } from '../../../../src/detect/signature/match/guard.js';
import { parsePcre } from '../../../../src/detect/signature/parse/pcre.js';
import { payloadMatches } from './rules.js';

/** pattern, text that matches, text that does not */
const CASES: readonly (readonly [string, string, string])[] = [
  ['/\\Aabc\\z/', 'abc', 'abc\n'],
  ['/abc\\Z/', 'abc\n', 'abcd'],
  ['/a\\hb/', 'a\tb', 'a\nb'],
  ['/a\\Rb/', 'a\r\nb', 'a b'],
  ['/a\\sb/', 'a\x0bb', 'a\xa0b'],
  ['/[[:alpha:]]1/', 'z1', '-1'],
  ['/[]x]1/', ']1', '[1'],
  ['/a++b/', 'aab', 'b'],
  ['/(?>a+)b/', 'aab', 'ac'],
  ['/(?>a|ab)c/', 'ac', 'abc'],
  ['/(?i)abc/', 'ABC', 'AB'],
  ['/a(?i:b)c/', 'aBc', 'aBC'],
  ['/a(?-i:b)c/i', 'AbC', 'ABC'],
  ['/(?P<q>[\\x22\\x27])x(?P=q)/', '"x"', '"x\''],
  ['/(["\\x27])x\\1/', '"x"', '"x\''],
  ['/(a)(?>b+)(c)\\2/', 'abbcc', 'abbca'],
  ['/\\Qa.b\\E/', 'a.b', 'axb'],
  ['/\\x{41}\\x42/', 'AB', 'ab'],
  ['/a b # comment/x', 'ab', 'a b'],
  ['/^b/A', 'bc', 'ab'],
  ['/[\\x80-\\xff]{2}/', '\xe9\xff', '\xe9a'],
];

for (const [pattern, hit, miss] of CASES) {
  test(`${pattern} matches ${JSON.stringify(hit)} and not ${JSON.stringify(miss)}`, () => {
    const { match } = parsePcre(`"${pattern}"`);
    const find = (text: string) => match.pattern.exec(new Subject(Buffer.from(text, 'latin1')), 0, 0, new Effort());
    assert.ok(find(hit));
    assert.equal(find(miss), null);
  });
}

for (const pattern of [
  '/(?R)/',
  '/(a)(?1)/',
  '/a\\Kb/',
  '/(?(1)a|b)/',
  '/a/z',
  '/(a/',
  '/[z-a]/',
  '/(?P<n>a)(?P=m)/',
]) {
  test(`${pattern} is refused`, () => {
    assert.throws(() => parsePcre(`"${pattern}"`));
  });
}

test('a search that is given up is counted, and is neither a match nor its absence', () => {
  const text = `${'a'.repeat(5000)}b`;
  const before = searchesGivenUp();
  assert.equal(payloadMatches('pcre:"/(a+)+\\1c/";', text), false);
  assert.equal(payloadMatches('pcre:!"/(a+)+\\1c/";', text), false);
  assert.equal(searchesGivenUp() - before, 2);
});

test('what a pattern finds does not depend on the time that it takes', (t) => {
  let hours = 0;
  t.mock.method(performance, 'now', () => ++hours * 3_600_000);
  const before = searchesGivenUp();
  const text = `${'a'.repeat(100)}b`;
  assert.equal(payloadMatches('pcre:"/(?=a)a*a*[^ab]/";', text), false);
  assert.equal(payloadMatches('pcre:!"/(?=a)a*a*[^ab]/";', text), true);
  assert.equal(payloadMatches('pcre:"/(?=a)a*a*b/i";', text), true);
  assert.equal(searchesGivenUp() - before, 0);
});
