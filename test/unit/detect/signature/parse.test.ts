import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../src/detect/signature/index.js';
import { inRanges, parseAddresses } from '../../../../src/detect/signature/parse/address.js';
import { inPorts, parsePorts } from '../../../../src/detect/signature/parse/port.js';
import { compile, problemOf } from './rules.js';
import { fc, fuzzLimits } from '../../../support/fuzz.js';

const rule = (options: string, header = 'alert tcp any any -> any any'): string =>
  `${header} (msg:"t"; ${options} sid:7;)`;

/** rule, words of the reason, column of the fault */
const PROBLEMS: readonly (readonly [string, RegExp, string])[] = [
  [rule('nosuchword;'), /"nosuchword" is not understood/, 'nosuchword'],
  [rule('nosuchword:1;'), /"nosuchword" is not understood/, 'nosuchword'],
  [rule('content:"a|4|";'), /odd number/, 'content'],
  [rule('content:"a|41";'), /not closed by/, 'content'],
  [rule('depth:1;'), /needs a content/, 'depth'],
  [rule('content:"abc"; depth:2;'), /smaller than its content/, 'depth'],
  [rule('content:"abc"; within:2;'), /smaller than its content/, 'within'],
  [rule('content:"a"; distance:nobody;'), /neither a number nor a variable/, 'distance'],
  [rule('pcre:"/(/";'), /not closed/, 'pcre'],
  [rule('flow:sideways;'), /"sideways"/, 'flow'],
  [rule('flags:Q;'), /not a TCP flag/, 'flags'],
  [rule('threshold:type limit, count 1;'), /needs type, track/, 'threshold'],
  [rule('dotprefix;'), /needs a buffer/, 'dotprefix'],
  [rule('bsize:3;'), /needs a buffer/, 'bsize'],
];

for (const [text, reason, keyword] of PROBLEMS) {
  test(`${text.slice(30)} is refused at ${keyword}`, () => {
    const problem = problemOf(text);
    assert.match(problem.reason, reason);
    assert.equal(problem.keyword, keyword);
    assert.equal(problem.column, text.lastIndexOf(keyword) + 1);
  });
}

for (const [text, reason] of [
  ['alert gopher any any -> any any (sid:1;)', /"gopher" is not parsed/],
  ['alert tcp any any any any (sid:1;)', /6 parts/],
  ['alert tcp any any <- any any (sid:1;)', /not a direction/],
  ['shout tcp any any -> any any (sid:1;)', /not an action/],
  ['alert tcp $NOWHERE any -> any any (sid:1;)', /\$NOWHERE is not defined/],
  ['alert tcp any 99999 -> any any (sid:1;)', /not a port/],
  ['alert tcp any any -> any any (msg:"a";)', /no sid/],
  ['alert tcp any any -> any any (msg:"a; sid:1;)', /quotation mark/],
  ['alert tcp any any -> any any (msg:"a"; sid:1', /"\)" is missing/],
  ['alert http any any -> any any (flow:to_client; http.uri; content:"a"; sid:1;)', /field of requests/],
  ['alert dns any any -> any any (http.uri; content:"a"; sid:1;)', /not a part of dns/],
] as const) {
  test(`${text} is refused`, () => {
    assert.match(problemOf(text).reason, reason);
  });
}

test('a bad rule does not stop the rest, and tells its line', () => {
  const { rules, problems } = loadRules([
    { file: 'a.rules', text: `# comment\n${rule('nosuchword;')}\n\nalert tcp any any -> any any (sid:2;)\n` },
  ]);
  assert.deepEqual(
    rules.map((r) => r.signatureId),
    [2],
  );
  assert.equal(problems[0]?.line, 2);
  assert.equal(problems[0]?.signatureId, 7);
});

test('a rule may go over several lines', () => {
  const { rules } = loadRules([{ file: 'a.rules', text: 'alert tcp any any -> any any ( \\\n msg:"x"; \\\n sid:3;)' }]);
  assert.equal(rules[0]?.message, 'x');
});

test('of two rules with one sid the higher revision is kept', () => {
  const text =
    'alert tcp any any -> any any (msg:"new"; sid:1; rev:2;)\nalert tcp any any -> any any (msg:"old"; sid:1; rev:1;)';
  const { rules, problems } = loadRules([{ file: 'a.rules', text }]);
  assert.equal(rules[0]?.message, 'new');
  assert.match(problems[0]!.reason, /used twice/);
});

test('class, priority, target and MITRE reference come from the options', () => {
  const r = compile(
    rule(
      'classtype:trojan-activity; target:dest_ip; metadata:mitre_tactic_id TA0011, mitre_technique_id T1071, mitre_technique_name Web_Protocols;',
    ),
  );
  assert.equal(r.category, 'A Network Trojan was detected');
  assert.equal(r.priority, 1);
  assert.equal(r.target, 'dst');
  assert.deepEqual(r.attack, { tacticId: 'TA0011', techniqueId: 'T1071', techniqueName: 'Web Protocols' });
});

test('older content modifiers mean the same buffers as sticky ones', () => {
  const old = compile(
    'alert http any any -> any any (content:"a"; http_uri; content:"b"; http_uri; distance:1; pcre:"/c/UR"; sid:1;)',
  );
  const now = compile(
    'alert http any any -> any any (http.uri; content:"a"; content:"b"; distance:1; pcre:"/c/R"; sid:1;)',
  );
  assert.deepEqual(
    old.buffers.map((b) => [b.key, b.matches.map((m) => m.kind)]),
    now.buffers.map((b) => [b.key, b.matches.map((m) => m.kind)]),
  );
});

test('address groups take away what is negated, at any depth', () => {
  const variables = new Map([['HOME_NET', '[10.0.0.0/8,!10.1.0.0/16]']]);
  const ranges = parseAddresses('[$HOME_NET,192.0.2.1,!10.2.3.4]', variables);
  const has = (a: number, b: number, c: number, d: number): boolean =>
    inRanges(ranges, 4, 0, 0, 0, ((a << 24) | (b << 16) | (c << 8) | d) >>> 0);
  assert.equal(has(10, 0, 0, 1), true);
  assert.equal(has(10, 1, 0, 1), false);
  assert.equal(has(10, 2, 3, 4), false);
  assert.equal(has(192, 0, 2, 1), true);
  assert.equal(has(192, 0, 2, 2), false);
});

test('port groups know ranges, open ends and negation', () => {
  const set = parsePorts('[80,1000:1010,!1005,65000:]', new Map());
  for (const [port, want] of [
    [80, true],
    [81, false],
    [1005, false],
    [1010, true],
    [65535, true],
  ] as const)
    assert.equal(inPorts(set, port), want);
});

test('no text makes the loader throw', () => {
  const word = fc.constantFrom(
    'alert',
    'tcp',
    'any',
    '->',
    '(',
    ')',
    'content:',
    '"',
    '|',
    'sid:1;',
    'pcre:"/',
    '/',
    ';',
    '\\',
    '!',
    'a',
    ' ',
    '[',
    ']',
    '$X',
    'depth:',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => {
      loadRules([{ file: 'a.rules', text: words.join('') }]);
      loadRules([{ file: 'a.rules', text: `alert tcp any any -> any any (${words.join('')} sid:1;)` }]);
    }),
    fuzzLimits(500),
  );
});
