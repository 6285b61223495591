import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadRules } from '../../../../src/detect/signature/index.js';

const rules = ['1', '2'].map((sid) => `alert icmp any any -> any any (sid:${sid};)`).join('\n');
const load = (text: string) =>
  loadRules([{ file: 'a.rules', text: rules }], { threshold: { file: 'threshold.config', text } });

test('a threshold line sets the threshold of its rule only', () => {
  const loaded = load('# comment\nthreshold gen_id 1, sig_id 2, type limit, track by_src, count 3, seconds 60');
  assert.deepEqual(loaded.problems, []);
  const [one, two] = loaded.rules;
  assert.equal(one?.threshold, undefined);
  assert.deepEqual(two?.threshold, { type: 'limit', track: 'by_src', count: 3, seconds: 60, multiplier: 1 });
});

test('a suppression applies to one rule, or with id 0 to all', () => {
  const loaded = load('suppress gen_id 1, sig_id 1, track by_src, ip 192.0.2.0/24\nsuppress gen_id 0, sig_id 0');
  assert.deepEqual(
    loaded.rules.map((r) => r.suppress.map((s) => s.track)),
    [['by_src', 'always'], ['always']],
  );
});

test('a line that is not understood is reported with its number', () => {
  const [problem] = load('\nsuppress sig_id 1').problems;
  assert.equal(problem?.line, 2);
  assert.equal(problem?.file, 'threshold.config');
});
