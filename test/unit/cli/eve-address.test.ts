import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eveAddress } from '../../../src/cli/analyze/eve.js';
import { protoName } from '../../../src/cli/analyze/proto-names.js';

test('addresses of EVE lines are written as Suricata writes them: IPv6 in full', () => {
  assert.equal(eveAddress('2001:db8::1'), '2001:0db8:0000:0000:0000:0000:0000:0001');
  assert.equal(eveAddress('::ffff:192.0.2.1'), '0000:0000:0000:0000:0000:ffff:c000:0201');
  assert.equal(eveAddress('192.0.2.1'), '192.0.2.1');
  assert.equal(eveAddress(''), '');
});

test('protocols of EVE lines have the names that Suricata 7 writes', () => {
  const names = [1, 6, 44, 58, 89, 94, 116, 132, 143, 144, 7].map(protoName);
  assert.deepEqual(names, [
    'ICMP',
    'TCP',
    'IPv6-Frag',
    'IPv6-ICMP',
    'OSPF',
    'OS',
    'DDX',
    'SCTP',
    'Ethernet',
    '144',
    'CBT',
  ]);
});
