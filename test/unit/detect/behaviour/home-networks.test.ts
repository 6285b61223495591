import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HomeNetworks } from '../../../../src/detect/behaviour/home-networks.js';
import { parseIp } from '../../../../src/util/ip.js';

const home = new HomeNetworks(['10.0.0.0/8', '192.168.4.0/22', '203.0.113.7', 'fc00::/7', '2001:db8:1:2::/63']);

function isInside(text: string): boolean {
  const ip = parseIp(text)!;
  return home.contains(ip.version, Uint32Array.from([0, 0, 0, 0, ...ip.words]), 1);
}

test('inside are the addresses of the prefixes, to the bit, and nothing else', () => {
  for (const inside of ['10.255.0.1', '192.168.4.0', '192.168.7.255', '203.0.113.7', 'fd00::1', '2001:db8:1:3::9'])
    assert.equal(isInside(inside), true, inside);
  for (const outside of [
    '11.0.0.1',
    '192.168.8.0',
    '192.168.3.255',
    '203.0.113.6',
    '2001:db8:1:4::9',
    'fe80::1',
    '::a00:1',
  ])
    assert.equal(isInside(outside), false, outside);
  assert.equal(new HomeNetworks(['0.0.0.0/0']).contains(4, Uint32Array.from([0, 0, 0, 7]), 0), true);
  assert.equal(new HomeNetworks([]).contains(6, Uint32Array.from([1, 0, 0, 7]), 0), false);
});
