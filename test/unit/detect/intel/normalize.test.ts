import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeAny } from '../../../../src/detect/intel/index.js';

const GOOD: [string, string, string][] = [
  ['203.0.113.7', 'ip', '203.0.113.7'],
  ['203.0.113.7/32', 'ip', '203.0.113.7'],
  ['203.0.113.7:8080', 'ip', '203.0.113.7'],
  ['198.51.100.0/24', 'cidr', '198.51.100.0/24'],
  ['2001:DB8:0::1', 'ip', '2001:db8::1'],
  ['2001:db8::/48', 'cidr', '2001:db8::/48'],
  ['203[.]0[.]113[.]7', 'ip', '203.0.113.7'],
  ['*.Evil.Example.', 'domain', 'evil.example'],
  ['evil[.]example', 'domain', 'evil.example'],
  ['bücher.example', 'domain', 'xn--bcher-kva.example'],
  ['hxxp://Evil.example:80/a?b=c#d', 'url', 'evil.example/a?b=c'],
  ['https://evil.example', 'url', 'evil.example/'],
  ['evil.example/path', 'url', 'evil.example/path'],
  ['E7D705A3286E19EA42F587B344EE6865', 'ja3', 'e7d705a3286e19ea42f587b344ee6865'],
  ['t13d1516h2_8daaf6152771_b186095e22b6', 'ja4', 't13d1516h2_8daaf6152771_b186095e22b6'],
  ['a'.repeat(64), 'sha256', 'a'.repeat(64)],
];

test('values are read as feeds write them, defanged or not, into one form', () => {
  for (const [text, type, value] of GOOD) assert.deepEqual(normalizeAny(text), { type, value }, text);
});

test('what would hit one’s own hosts or half the internet is refused with the reason', () => {
  const bad: [string, RegExp][] = [
    ['10.1.2.3', /public/],
    ['192.168.0.0/16', /public/],
    ['127.0.0.1', /public/],
    ['fe80::1', /public/],
    ['0.0.0.0/0', /wider/],
    ['64.0.0.0/7', /wider/],
    ['::/0', /wider/],
    ['example', /neither/],
    ['not a name', /neither/],
    ['-x-.example', /neither/],
    ['javascript://x/y', /another protocol/],
    ['', /empty/],
    ['x'.repeat(5000), /long/],
  ];
  for (const [text, reason] of bad) {
    const found = normalizeAny(text);
    assert.ok('rejected' in found, `${text} was accepted`);
    assert.match(found.rejected, reason, text);
  }
});

test('a feed about one’s own networks may name private addresses', () => {
  assert.deepEqual(normalizeAny('10.1.2.3', true), { type: 'ip', value: '10.1.2.3' });
});
