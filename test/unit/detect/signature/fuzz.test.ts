import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';
import { cpuMs } from '../../../support/cpu.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';
import { REFUSED_RULES, TAKEN } from './acceptance-cases.js';
import { pcrePattern } from './pcre-patterns.js';

/** Longest CPU time of one rule on one payload, milliseconds: eight times what the limits come to, for a busy machine. */
const MAX_MS = 2_000;

const flags = fc.subarray(['i', 'm', 's', 'x', 'R', 'G', 'E', 'A']).map((x) => x.join(''));
const run = fc
  .tuple(fc.constantFrom('a', 'b', 'ab', 'a ', 'a=', 'aA', '1a', '\r\n', '\xe9'), fc.nat(3000))
  .map(([x, n]) => x.repeat(n / x.length));
const text = fc.oneof(
  fc
    .array(fc.constantFrom('a', 'b', 'ab', 'A', '1', ' ', '\r\n', '\xe9', '\0'), { maxLength: 30 })
    .map((x) => x.join('')),
  fc.tuple(run, run, fc.constantFrom('', 'b', 'c')).map((x) => x.join('')),
);
const BEFORE = ['', 'content:"a";', 'content:"a"; content:"a"; distance:0;', 'content:"="; nocase;'] as const;
const AFTER = ['', '', 'content:"b"; distance:0;', 'content:"x"; within:5;', 'pcre:"/a*c/R";', 'pcre:"/\\Ba*?[^a]c/Ri";'] as const; // prettier-ignore

/** Loads a rule with the options and judges the text; false when the loader refuses them. */
function judges(options: string, text: string): boolean {
  const { rules, problems } = loadRules([
    { file: 'a.rules', text: `alert tcp any any -> any any (${options} sid:1;)` },
  ]);
  assert.equal(rules.length + problems.length, 1);
  for (const { reason } of problems) assert.ok(reason.length > 0);
  for (const rule of rules) new Inspector().run(rule.payload, Buffer.from(text, 'latin1'));
  return rules.length === 1;
}

test('a pattern is refused with a reason, or judges any text in bounded time', () => {
  let judged = 0;
  fc.assert(
    fc.property(fc.constantFrom(...BEFORE), pcrePattern, flags, fc.constantFrom(...AFTER), text, (before, source, letters, after, payload) => {
      const options = `${before} pcre:"/${source}/${letters}"; ${after}`;
      const used = cpuMs(() => {
        if (judges(options, payload)) judged++;
      });
      assert.ok(used < MAX_MS, `${options} took ${used} ms`);
    }),
    fuzzLimits(600),
  ); // prettier-ignore
  assert.ok(judged > 50, `only ${judged} patterns were understood`);
});

const number = fc.constantFrom('0', '1', '2', '4', '8', '-1', '-4', '65535', '4294967295', 'v', 'w');
const OPTIONS: readonly ((a: string, b: string, c: string) => string)[] = [
  (a) => `content:"a"; offset:${a};`,
  (a, b) => `content:"|00 61|"; distance:${a}; within:${b};`,
  (a) => `content:!"b"; nocase; depth:${a};`,
  () => 'content:"ab"; startswith;',
  () => 'content:"b"; endswith;',
  (a) => `isdataat:${a},relative;`,
  (a) => `isdataat:!${a};`,
  (a) => `bsize:${a};`,
  (a) => `dsize:>${a};`,
  (a, b) => `byte_extract:${a},${b},v,relative;`,
  (a, b) => `byte_extract:${a},${b},w,string,dec;`,
  (a, b, c) => `byte_test:${a},>,${b},${c},relative;`,
  (a, b, c) => `byte_test:${a},&,${b},${c},string,hex;`,
  (a, b, c) => `byte_jump:${a},${b},relative,multiplier ${c};`,
  (a, b) => `byte_jump:${a},${b},from_end,post_offset ${b};`,
  (a, b, c) => `byte_math:bytes ${a},offset ${b},oper /,rvalue ${c},result v;`,
  (a, b, c) => `byte_math:bytes ${a},offset ${b},oper <<,rvalue ${c},result w;`,
  (a, b) => `base64_decode:bytes ${a},offset ${b},relative; base64_data; content:"a";`,
  () => 'pkt_data; content:"a";',
];
const option = fc.tuple(fc.constantFrom(...OPTIONS), number, number, number).map(([make, a, b, c]) => make(a, b, c));
const payload = fc.uint8Array({ maxLength: 200 }).map((d) => Buffer.from(d.map((b) => (b < 128 ? 97 + (b & 1) : b))).toString('latin1')); // prettier-ignore

test('whatever options ask of whatever bytes, the judge neither throws nor hangs', () => {
  let judged = 0;
  fc.assert(
    fc.property(fc.array(option, { maxLength: 8 }), payload, (options, bytes) => {
      const used = cpuMs(() => {
        if (judges(`content:"a"; ${options.join(' ')}`, bytes)) judged++;
      });
      assert.ok(used < MAX_MS, `${options.join(' ')} took ${used} ms`);
    }),
    fuzzLimits(500),
  );
  assert.ok(judged > 50, `only ${judged} rules were understood`);
});

const known = `${TAKEN.trim()}\n${REFUSED_RULES.trim()}`.split('\n');
const scraps = fc.constantFrom('', ';', ':', ',', '!', '"', '\\', '|', '<>', '>', '-', ' ', '0', '4294967296', '99999999999999999999', '-1', 'a', '\xff', '()', '\u{1f600}'); // prettier-ignore
const edits = fc.array(fc.tuple(fc.nat(120), fc.nat(6), scraps), { maxLength: 3 });

test('a rule with any keyword, altered anyhow, is taken, or refused with a reason', () => {
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(fc.constantFrom(...known), edits, (rule, list) => {
      const space = rule.indexOf(' ');
      let options = rule.slice(space + 1);
      for (const [at, length, text] of list) options = options.slice(0, at) + text + options.slice(at + length);
      const text = `alert ${rule.slice(0, space)} any any -> any any (${options}; sid:1;)`;
      const used = cpuMs(() => {
        const { rules, problems } = loadRules([{ file: 'a.rules', text }]);
        assert.ok(rules.length + problems.length <= 1, 'one line, one answer');
        for (const { reason } of problems) assert.ok(reason.length > 0 && !/is not a function|undefined|of null/.test(reason), reason);
        for (const { payload } of rules) new Inspector().run(payload, Buffer.from('abcabc'));
        taken += rules.length;
        refused += problems.length;
      });
      assert.ok(used < MAX_MS, `${text} took ${used} ms`);
    }),
    fuzzLimits(800),
  ); // prettier-ignore
  assert.ok(taken > 20 && refused > 20, `${taken} taken, ${refused} refused`);
});
