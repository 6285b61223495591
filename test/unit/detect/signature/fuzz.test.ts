import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { Inspector } from '../../../../src/detect/signature/match/inspect.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';
import { REFUSED_RULES, TAKEN } from './acceptance-cases.js';

/** Longest CPU time of one rule on one payload, milliseconds: the limits of the engine, a thousand times over, for a busy machine. */
const MAX_MS = 10_000;

const ATOMS = ['a', 'b', '.', '\\d', '\\s', '\\w', '[ab]', '[^a]', '\\x61', '^', '$', '\\b', '\\1', '\\R', '\\h', '[[:alpha:]]', '\\Qa+\\E', '\\A', '\\z', '\\Z', ''] as const; // prettier-ignore
const OPENERS = ['(', '(?:', '(?>', '(?=', '(?!', '(?<=', '(?<!', '(?i)(', '(?i:', '(?P<n>', '(?#'] as const;
const REPEATS = ['', '', '', '*', '+', '?', '*?', '++', '{2}', '{1,3}', '{0,200}', '{2,}'] as const;

const pattern = fc.letrec<{ node: string; group: string; atom: string }>((tie) => ({
  node: fc.array(fc.oneof({ depthSize: 'small', withCrossShrink: true }, tie('atom'), tie('group')), { maxLength: 4 }).map((x) => x.join('')),
  atom: fc.tuple(fc.constantFrom(...ATOMS), fc.constantFrom(...REPEATS)).map(([a, r]) => a + r),
  group: fc
    .tuple(fc.constantFrom(...OPENERS), tie('node'), fc.constantFrom('', '|', '|b'), fc.constantFrom(...REPEATS))
    .map(([open, inner, or, repeat]) => `${open}${inner}${or})${repeat}`),
})).node; // prettier-ignore

const flags = fc.subarray(['i', 'm', 's', 'x', 'R', 'G', 'E', 'A']).map((x) => x.join(''));
const text = fc.oneof(
  fc.array(fc.constantFrom('a', 'b', 'ab', 'A', '1', ' ', '\r\n', '\xe9', '\0'), { maxLength: 30 }).map((x) => x.join('')),
  fc.nat(3000).map((n) => `${'a'.repeat(n)}b`),
); // prettier-ignore

/** CPU time of a call, milliseconds. */
function cpuMs(call: () => void): number {
  const before = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

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
    fc.property(pattern, flags, text, (source, letters, payload) => {
      const option = `pcre:"/${source}/${letters}";`;
      const used = cpuMs(() => {
        if (judges(`content:"a"; ${option}`, payload)) judged++;
      });
      assert.ok(used < MAX_MS, `${option} took ${used} ms`);
    }),
    fuzzLimits(300),
  );
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
