import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BoundedPattern, searchesGivenUp } from '../../../../src/detect/signature/match/guard.js';
import { createTransform } from '../../../../src/detect/signature/match/transform.js';
import { cpuMs } from '../../../support/cpu.js';
import { payloadMatches } from './rules.js';

/** Longest CPU time of one rule on one buffer, milliseconds: eight times what the limits come to, for a busy machine. */
const MAX_MS = 2_000;
/** As much of a body as is searched. */
const BODY = 100_000;

/** Nearly found at each position of a text of `z`. */
const LONG = 'z'.repeat(100);
const run = (n: number): string => 'a'.repeat(n);
const fields = (n: number): string => 'a=,'.repeat(n / 3);

/** Options, text, whether the rule matches: what an answer is found for. */
const ANSWERED: readonly (readonly [string, string, boolean])[] = [
  ['pcre:"/^(?:a+)+$/";', `${run(BODY)}b`, false],
  ['pcre:"/^(?:a+)+$/i";', `${run(BODY)}b`, false],
  ['pcre:"/(?:a|a)*c/";', `${run(BODY)}b`, false],
  ['pcre:"/(?:a|aa){1,100}c$/";', `${run(1400)}b`, false],
  ['pcre:"/^(?=a)(?:a+)+$/";', `${run(BODY)}b`, false],
  ['pcre:"/^(?=a)(?:a|aa)+$/";', `${run(BODY)}b`, false],
  ['pcre:!"/(?:a+)+(?=c)/";', run(BODY), true],
  ['pcre:"/a*\\s/i";', run(BODY), false],
  ['pcre:"/a*?\\s/";', run(BODY), false],
  ['pcre:!"/a*\\s/i"; pcre:!"/a*=/i"; pcre:!"/a*[^a]/i";', run(BODY), true],
  ['pcre:"/a*?\\s/i";', `${run(BODY)} `, true],
  ['pcre:"/[^b]*=[^b]*\\s/i";', 'a='.repeat(1500) + run(3000), false],
  ['pcre:"/[^b]*=[^b]*\\s/i";', 'a='.repeat(20_000) + run(60_000), false],
  ['pcre:"/(?:a|b|ab|ba|aa)*(?:a|b)*(?:a|b)*c/";', 'ab'.repeat(BODY / 2), false],
  ['pcre:"/(?:(?:a?)*b?)*c/";', run(BODY), false],
  ['pcre:"/(?<=a)a*a*c/";', run(BODY), false],
  ['content:"a"; pcre:"/a*?\\s/R";', run(3000), false],
  ['content:"a"; pcre:"/a*?\\s/RG";', `${run(3000)}b`, false],
  ['content:"a"; pcre:"/a*?\\s/Ri";', `${run(BODY)}b`, false],
  ['content:"a"; pcre:"/\\Ba*\\s/R";', run(3000), false],
  ['content:"a"; pcre:"/\\ba[^,]*,[^,]*x/R";', fields(BODY), false],
  ['content:"a"; pcre:"/.*=.*,.*\\x00/Rs";', fields(BODY), false],
  ['content:"a"; pcre:"/\\ba/R"; content:"="; distance:0; pcre:"/a.*,.*x/R"; content:"y"; distance:0;', fields(BODY), false], // prettier-ignore
  ['pcre:"/a*?a/"; pcre:"/a*b/R"; pcre:"/a*c/R";', run(BODY), false],
  ['content:"a"; content:"b"; distance:0; pcre:"/^(?:a|b)*c/";', 'ab'.repeat(BODY / 2), false],
  [`content:"z"; content:"q${LONG}"; nocase; distance:0;`, 'z'.repeat(BODY), false],
  [`content:"z"; content:"q${LONG}"; distance:0; content:"x"; distance:0;`, `${'z'.repeat(BODY / 2)}q${'z'.repeat(BODY / 2)}`, false], // prettier-ignore
];

/** Options and text that have no answer within the limits: one search is given up, and with it the rule. */
const GIVEN_UP: readonly (readonly [string, string])[] = [
  ['pcre:"/(a+)+\\1c/";', run(3000)],
  ['pcre:"/(a*)(a*)\\1\\2c/";', run(BODY)],
  ['pcre:"/(a|b)*\\1(a|b)*\\2c/i";', 'ab'.repeat(BODY / 2)],
  ['pcre:"/(?:a(?=a*))*\\s/";', run(3000)],
  ['pcre:"/(?:a(?=a*))*\\s/";', run(BODY)],
  ['pcre:"/(?:a++|a)+c/";', run(BODY)],
  ['pcre:"/(?>a+)+c/";', run(BODY)],
  ['pcre:"/(?:a{0,200}){0,200}c/";', run(BODY)],
  ['pcre:"/(?:a?){500}c/";', run(BODY)],
  ['pcre:"/a*/"; content:"x"; distance:0;', run(BODY)],
  ['content:"a"; pcre:"/^a*a*a*\\s/R";', run(BODY)],
  ['content:"a"; pcre:"/^(?:a|a)*\\s/R";', run(BODY)],
  ['content:"a"; pcre:"/(?<!b)a*a*c/R";', run(BODY)],
  ['content:"a"; pcre:"/.*a.*a.*a/R"; content:"x"; distance:0;', run(BODY)],
  ['content:"a"; content:"a"; distance:0; content:"a"; distance:0; pcre:"/^a*b/R";', run(BODY)],
];

/** What the rule says, and how many searches it gives up; in bounded time. */
function judged(options: string, text: string): { matches: boolean; givenUp: number } {
  const before = searchesGivenUp();
  let matches = false;
  const used = cpuMs(() => {
    matches = payloadMatches(options, text);
  });
  assert.ok(used < MAX_MS, `${used} ms`);
  return { matches, givenUp: searchesGivenUp() - before };
}

for (const [options, text, matches] of ANSWERED)
  test(`${options} has an answer for ${text.length} bytes made against it`, () => {
    assert.deepEqual(judged(options, text), { matches, givenUp: 0 });
  });

for (const [options, text] of GIVEN_UP)
  test(`${options} gives up once on ${text.length} bytes made against it`, () => {
    assert.deepEqual(judged(options, text), { matches: false, givenUp: 1 });
  });

test('pcrexform has a bound', () => {
  const transform = createTransform('pcrexform', '"(a*a*a*)c"', (source) => new BoundedPattern(source, false));
  const before = searchesGivenUp();
  const used = cpuMs(() => assert.equal(transform!.apply(Buffer.from(run(BODY))).length, BODY));
  assert.ok(used < MAX_MS, `${used} ms`);
  assert.equal(searchesGivenUp() - before, 0);
});

test('what was not found behind one place is found where it is behind another', () => {
  assert.equal(payloadMatches('content:"x"; pcre:"/^a/R";', 'xbxbxbxbxbxa'), true);
  assert.equal(payloadMatches('content:"x"; pcre:"/\\ba/R";', '_a_a_a_xbxbxbxbx_xa'), true);
  assert.equal(payloadMatches('content:"x"; pcre:"/(?<!b)b?a/R";', 'xbbbxba'), true);
  assert.equal(payloadMatches('content:"x"; content:"y"; within:2; content:"z"; within:2;', 'xyxyxyxyxyz'), true);
  assert.equal(payloadMatches('content:"x"; content:"y"; distance:1; content:"zz"; distance:0; within:4;', 'xaybzxaybzzx'), true); // prettier-ignore
});

test('what looks at all of a buffer is tried behind fewer places of a large one', () => {
  const options = 'content:"a"; base64_decode:bytes 65535,offset 0,relative; base64_data; content:"zq";';
  const behind = (places: number) => `${'a!'.repeat(places)}aenE=`;
  const rest = '!'.repeat(BODY);
  assert.equal(payloadMatches(options, behind(200)), true);
  assert.equal(payloadMatches(options, behind(50) + rest), true);
  assert.equal(payloadMatches(options, behind(200) + rest), false);
});
