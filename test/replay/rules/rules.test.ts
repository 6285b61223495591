import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { shippedRules } from '../../../src/daemons/signatures.js';
import { loadRules } from '../../../src/detect/signature/index.js';
import { OTHER_CASES } from './other-cases.js';
import { http, replay } from './traffic.js';
import { WEB_CASES } from './web-cases.js';

const CASES = { ...WEB_CASES, ...OTHER_CASES };
const { rules, problems } = loadRules(shippedRules().map((file) => ({ file, text: readFileSync(file, 'utf8') })));

test('every shipped rule loads, has a class, a technique and a case', () => {
  assert.deepEqual(problems, []);
  assert.ok(rules.length > 0);
  for (const rule of rules) {
    assert.ok(rule.signatureId >= 9_000_000 && rule.signatureId <= 9_009_999, String(rule.signatureId));
    assert.notEqual(rule.category, '', `${rule.signatureId} has no known class`);
    assert.ok(rule.attack, `${rule.signatureId} has no technique`);
    assert.match(
      rule.metadata['spoofable']?.[0] ?? '',
      /^(yes|no)$/,
      `${rule.signatureId} does not say whether it can be spoofed`,
    );
    assert.ok(CASES[rule.signatureId], `${rule.signatureId} has no case`);
  }
  assert.equal(Object.keys(CASES).length, rules.length);
});

for (const rule of rules) {
  const { fires, near } = CASES[rule.signatureId] ?? { fires: [], near: [] };
  test(`${rule.signatureId} ${rule.message}: fires`, () => {
    const found = replay(fires).filter((d) => d.signatureId === rule.signatureId);
    assert.equal(found.length, 1);
    assert.ok(found[0]!.evidence.some((e) => e.name === 'rule'));
  });
  test(`${rule.signatureId} ${rule.message}: stays silent on a near miss`, () => {
    assert.deepEqual(
      replay(near).filter((d) => d.signatureId === rule.signatureId),
      [],
    );
  });
}

test('an ordinary exchange raises nothing', () => {
  const traffic = http({
    uri: '/search?q=select+a+union+card&page=2',
    headers: { Cookie: 'sid=1f9a', Referer: 'http://shop.example/' },
    answer: '<html><script src="/app.js"></script></html>',
  });
  assert.deepEqual(
    replay(traffic).map((d) => d.title),
    [],
  );
});
