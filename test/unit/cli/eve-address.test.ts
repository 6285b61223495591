import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eveAddress } from '../../../src/cli/analyze/eve.js';

test('addresses of EVE lines are written as Suricata writes them: IPv6 in full', () => {
  assert.equal(eveAddress('2001:db8::1'), '2001:0db8:0000:0000:0000:0000:0000:0001');
  assert.equal(eveAddress('192.0.2.1'), '192.0.2.1');
  assert.equal(eveAddress(''), '');
});
