import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePolicy } from '../../../src/policy/index.js';
import { formatProblem } from '../../../src/util/yaml.js';

const GOOD = `format: 1
name: example
description: An example.
when:
  labels: [port_scan]
  ports: [22, 8000-8100]
respond:
  ladder:
    - { action: block, duration: 10m }
`;

test('a policy gets its defaults', () => {
  const result = parsePolicy(GOOD, 'example.yaml');
  assert.ok(result.ok);
  assert.equal(result.policy.mode, 'enforce');
  assert.deepEqual(result.policy.when.ports, [
    { from: 22, to: 22 },
    { from: 8000, to: 8100 },
  ]);
  assert.deepEqual(result.policy.respond?.ladder[0], {
    action: 'block',
    scope: 'ip',
    prefix4: 24,
    prefix6: 64,
    duration: 600,
  });
});

test('every problem is reported at once, each with its line', () => {
  const bad = GOOD.replace('name: example', 'name: Example!')
    .replace('labels: [port_scan]', 'lables: [port_scan]')
    .replace('8000-8100', '9000-8100')
    .replace('10m', 'soon');
  const result = parsePolicy(bad, 'bad.yaml');
  assert.ok(!result.ok);
  const texts = result.problems.map(formatProblem);
  assert.equal(texts.length, 4);
  assert.match(texts[0] ?? '', /^bad\.yaml:2:1: name: must be lower-case/);
  assert.match(texts[1] ?? '', /^bad\.yaml:5:3: when\.lables: unknown key/);
  assert.match(texts[2] ?? '', /^bad\.yaml:6:15: when\.ports\.1: "9000-8100" is not a port/);
  assert.match(texts[3] ?? '', /^bad\.yaml:9:.*"soon" is not a duration/);
});

test('broken YAML is a problem with a line, not an exception', () => {
  const result = parsePolicy('format: 1\nname: [unclosed\n', 'broken.yaml');
  assert.ok(!result.ok);
  assert.ok((result.problems[0]?.line ?? 0) >= 2);
});

test('contradictions are refused', () => {
  const forEver = parsePolicy(GOOD.replace('10m', '0'), 'p.yaml');
  assert.ok(!forEver.ok);
  assert.match(forEver.problems[0]?.message ?? '', /may not block for ever/);
  const both = parsePolicy(`${GOOD}outcome: allow\n`, 'p.yaml');
  assert.ok(!both.ok);
  assert.match(both.problems[0]?.message ?? '', /contradicts outcome allow/);
  const none = parsePolicy('format: 1\nname: x\ndescription: d\n', 'p.yaml');
  assert.ok(!none.ok);
  assert.match(none.problems[0]?.message ?? '', /is required when the outcome is act/);
});

test('contradictions are reported beside the errors of fields, each with its line', () => {
  const bad = `format: 1
name: Example!
description: An example.
when:
  lables: [port_scan]
  sources: [198.51.100.0/24, 10.0.0.0/8, nonsense]
  not_sources: [198.51.0.0/16]
  time: { from: '08:00', to: '08:00' }
outcome: monitor
respond:
  traffic: both
  ladder:
    - { action: rate_limit, duration: soon }
    - { action: block, duration: 0 }
    - { action: blok, scope: cidr, duration: 10m }
inline: { verdict: mark }
caps: { blocks_per_minute: 0 }
`;
  const result = parsePolicy(bad, 'bad.yaml');
  assert.ok(!result.ok);
  const texts = result.problems.map(formatProblem);
  const expected = [
    /^bad\.yaml:2:1: name: must be/,
    /^bad\.yaml:5:3: when\.lables: unknown key/,
    /^bad\.yaml:6:13: when\.sources\.0: never matches: not_sources excludes all of it/,
    /^bad\.yaml:6:42: when\.sources\.2: is not an address/,
    /^bad\.yaml:8:26: when\.time\.to: never matches/,
    /^bad\.yaml:10:1: respond: contradicts outcome monitor/,
    /^bad\.yaml:13:9: respond\.ladder\.0\.action: contradicts traffic both/,
    /^bad\.yaml:13:29: respond\.ladder\.0\.duration: "soon" is not a duration/,
    /^bad\.yaml:14:24: respond\.ladder\.1\.duration: a policy may not block for ever/,
    /^bad\.yaml:15:9: respond\.ladder\.2\.action: Invalid option/,
    /^bad\.yaml:16:1: inline\.mark: belongs to verdict mark/,
    /^bad\.yaml:17:9: caps\.blocks_per_minute: Too small/,
  ];
  for (const [i, pattern] of expected.entries()) assert.match(texts[i] ?? '', pattern);
  assert.equal(texts.length, expected.length, texts.join('\n'));
});

test('nothing that was read wrong is taken for a contradiction', () => {
  for (const respond of ['5', '{ ladder: 7 }', '{ ladder: [3, { action: block }] }', '[]']) {
    const result = parsePolicy(
      `format: 1\nname: x\ndescription: d\nwhen: 3\ninline: no\nrespond: ${respond}\n`,
      'p.yaml',
    );
    assert.ok(!result.ok);
    const texts = result.problems.map(formatProblem).join('\n');
    assert.doesNotMatch(texts, /contradicts|belongs to|required when|for ever/, texts);
  }
});

test('a step that no responder would carry out is refused, with its line', () => {
  const limit = '{ action: rate_limit, scope: service, duration: 10m }';
  const cases: [step: string, traffic: string, problem: RegExp][] = [
    [limit, 'from', /^p\.yaml:9:\d+: respond\.ladder\.0\.scope: contradicts rate_limit/],
    ['{ action: rate_limit, duration: 10m }', 'both', /ladder\.0\.action: contradicts traffic both/],
    ['{ action: block, scope: cidr, duration: 10m }', 'to', /ladder\.0\.scope: contradicts traffic to/],
  ];
  for (const [step, traffic, problem] of cases) {
    const text = `${GOOD.replace('{ action: block, duration: 10m }', step)}  traffic: ${traffic}\n`;
    const result = parsePolicy(text, 'p.yaml');
    assert.ok(!result.ok, step);
    assert.match(result.problems.map(formatProblem).join('\n'), problem);
    const fitting = `${GOOD.replace(
      '{ action: block, duration: 10m }',
      step.replace(/scope: \w+, |rate_limit/g, (t) => (t === 'rate_limit' ? 'block' : '')),
    )}  traffic: ${traffic}\n`;
    assert.ok(parsePolicy(fitting, 'p.yaml').ok, fitting);
  }
});

test('a billion-laughs document is refused', () => {
  const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
  for (let i = 1; i < 9; i++) {
    const prev = String.fromCharCode(96 + i);
    bomb.push(
      `${String.fromCharCode(97 + i)}: &${String.fromCharCode(97 + i)} [${new Array(9).fill(`*${prev}`).join(',')}]`,
    );
  }
  const started = performance.now();
  assert.equal(parsePolicy(bomb.join('\n'), 'bomb.yaml').ok, false);
  assert.ok(performance.now() - started < 20_000);
});
