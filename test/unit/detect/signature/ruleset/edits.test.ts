import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../../src/detect/signature/load.js';
import { parseEdits, type EditTexts } from '../../../../../src/detect/signature/ruleset/edits.js';
import { applyEdits } from '../../../../../src/detect/signature/ruleset/rule-set.js';

const RULES = [
  'alert http any any -> any any (msg:"one heartbleed"; content:"a"; metadata:deployment Perimeter, x y; sid:1; rev:2;)',
  '#alert dns any any -> any any (msg:"two"; sid:2;)',
  'alert tcp any any -> any any (msg:"three"; threshold: type limit, track by_src, seconds 60, count 1; sid:3; gid:5;)',
  'alert tcp any any -> any any (msg:"four"; flowbits:set,seen; flowbits:noalert; \\',
  '  sid:4;)',
  '# a comment about (rules) that is none',
].join('\n');

function edited(texts: EditTexts, text = RULES) {
  const edits = parseEdits(texts);
  return { ...applyEdits([{ file: '/rules/sample.rules', text }], edits), problems: edits.problems };
}
const states = (texts: EditTexts, text?: string): Record<number, boolean> =>
  Object.fromEntries(edited(texts, text).rules.map((r) => [r.sid, r.enabled]));

test('without edits rules are as their file has them, and commented-out ones are known', () => {
  assert.deepEqual(states({}), { 1: true, 2: false, 3: true, 4: true });
});

for (const [line, off] of [
  ['1', [1]],
  ['1:1', [1]],
  ['5:3', [3]],
  ['3', []],
  ['1,5:3', [1, 3]],
  ['re:HEARTBLEED', [1]],
  ['re:three|four', [3, 4]],
  ['group:sample.rules', [1, 3, 4]],
  ['group:sample', [1, 3, 4]],
  ['group:sam*', [1, 3, 4]],
  ['group:other', []],
  ['sample.rules', [1, 3, 4]],
  ['filename:*/sample.rules', [1, 3, 4]],
  ['filename:*/sam', []],
  ['metadata: deployment perimeter', [1]],
  ['metadata: deployment', []],
  ['proto:http', [1]],
  ['1 # why', [1]],
  ['# 1', []],
] as [string, number[]][]) {
  test(`disable.conf: "${line}" switches ${off.length === 0 ? 'nothing' : off.join(', ')} off`, () => {
    const { rules, problems } = edited({ 'disable.conf': line });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      rules.filter((r) => !r.enabled && r.enabledInFile).map((r) => r.sid),
      off,
    );
  });
}

test('enable.conf comes after disable.conf and takes up commented-out rules', () => {
  assert.deepEqual(states({ 'disable.conf': '*', 'enable.conf': '1\n2' }), { 1: true, 2: true, 3: false, 4: false });
});

test('drop.conf makes alerts drop, but not those of rules without an alert', () => {
  const { rules } = edited({ 'drop.conf': '*' });
  assert.deepEqual(
    rules.map((r) => r.text.split(' ')[0]),
    ['drop', 'drop', 'drop', 'alert'],
  );
});

for (const [line, sid, expected] of [
  ['5:3 "seconds \\d+" "seconds 3600"', 3, 'seconds 3600'],
  ['modifysid 1 "^alert(.*)msg" | "drop${1}msg"', 1, 'drop http any any'],
  ['1 "(heart)(bleed)" "\\2\\1"', 1, 'bleedheart'],
  ['re:"one heart" "content:\\"a\\"" "content:\\"b\\""', 1, 'content:"b"'],
  ['1 "a\\";" "costs $5\\";"', 1, 'content:"costs $5";'],
  ['metadata-add 1 "evebox-action" "archive"', 1, 'metadata:deployment Perimeter, x y, evebox-action archive;'],
  ['metadata-set 1 "x" "z"', 1, 'metadata:deployment Perimeter, x z;'],
  ['metadata-add re:"three" "key" "value"', 3, 'metadata:key value;)'],
] as [string, number, string][]) {
  test(`modify.conf: ${line}`, () => {
    const { rules, problems } = edited({ 'modify.conf': line });
    assert.deepEqual(problems, []);
    const rule = rules.find((r) => r.sid === sid)!;
    assert.ok(rule.text.includes(expected), rule.text);
    assert.notEqual(rule.original, undefined);
    assert.equal(rule.changedBy, 'modify.conf:1');
  });
}

test('lines that are not understood are reported with file and line, the others count', () => {
  const { problems, rules } = edited({ 'disable.conf': '1\nnonsense here\nre:(', 'modify.conf': '1 "only"' });
  assert.deepEqual(
    problems.map((p) => `${p.file}:${p.line}`),
    ['disable.conf:2', 'disable.conf:3', 'modify.conf:1'],
  );
  assert.equal(rules[0]!.enabled, false);
});

test('a rule that sets a bit which an enabled rule tests is switched on again without an alert', () => {
  const text = [
    'alert tcp any any -> any any (msg:"sets"; flowbits:set,a; sid:1;)',
    'alert tcp any any -> any any (msg:"tests"; flowbits:isset,a|b; sid:2;)',
    '# alert tcp any any -> any any (msg:"sets, too"; flowbits:set,b; flowbits:noalert; sid:3;)',
    '# alert tcp any any -> any any (msg:"sets another"; flowbits:set,c; sid:4;)',
  ].join('\n');
  assert.deepEqual(states({ 'disable.conf': '1' }, text), { 1: true, 2: true, 3: true, 4: false });
  const { rules } = loadRules(edited({ 'disable.conf': '1' }, text).files);
  assert.deepEqual(rules.map((r) => [r.signatureId, r.noalert]).sort(), [
    [1, true],
    [2, false],
    [3, true],
  ]);
});

test('what the engine reads keeps every rule on its line', () => {
  const { files } = edited({ 'disable.conf': '4', 'enable.conf': '2', 'drop.conf': '5:3' });
  const { rules, problems } = loadRules(files);
  assert.deepEqual(problems, []);
  assert.deepEqual(rules.map((r) => [r.signatureId, r.line, r.action]).sort(), [
    [1, 1, 'alert'],
    [2, 2, 'alert'],
    [3, 3, 'drop'],
  ]);
});
