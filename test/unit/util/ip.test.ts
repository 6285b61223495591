import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import test from 'node:test';
import { fc } from '../../support/fuzz.js';
import {
  canonicalAddress,
  cidrContains,
  cidrOverlaps,
  formatCidr,
  formatIp,
  formatIpv6,
  isPrivateIp,
  parseCidr,
  parseIp,
} from '../../../src/util/ip.js';

test('addresses are written in canonical form', () => {
  for (const [text, canonical] of [
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['::', '::'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['2001:db8::/32', '2001:db8::/32'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
    ['192.0.2.1/32', '192.0.2.1'],
  ] as const) {
    assert.equal(canonicalAddress(text), canonical, text);
  }
});

test('what is not an address is refused', () => {
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    '1.2.3.4/33',
    '::1/129',
    'fe80::1%eth0',
    ':::',
    '1::2::3',
    '12345::',
    'g::',
    '1.2.3.4/',
    '1.2.3.4/x',
    '[::1]',
  ]) {
    assert.equal(canonicalAddress(text), undefined, text);
  }
});

test('any IPv6 address survives writing and reading, and Node agrees that it is one', () => {
  fc.assert(
    fc.property(fc.tuple(word(), word(), word(), word()), ([a, b, c, d]) => {
      const text = formatIpv6(a, b, c, d);
      assert.ok(isIPv6(text), text);
      const parsed = parseIp(text);
      const mapped = a === 0 && b === 0 && c === 0xffff;
      assert.deepEqual(parsed, mapped ? { version: 4, words: [0, 0, 0, d] } : { version: 6, words: [a, b, c, d] });
    }),
  );
  function word() {
    return fc.oneof(fc.constantFrom(0, 1, 0xffff, 0xffffffff, 0x10000), fc.nat({ max: 0xffffffff }));
  }
});

test('a network contains its members and no others', () => {
  const net = parseCidr('198.51.100.64/26')!;
  assert.ok(cidrContains(net, parseIp('198.51.100.127')!));
  assert.ok(!cidrContains(net, parseIp('198.51.100.128')!));
  assert.ok(!cidrContains(net, parseIp('::1')!));
  assert.ok(cidrContains(parseCidr('0.0.0.0/0')!, parseIp('255.1.2.3')!));
  assert.ok(cidrContains(parseCidr('2001:db8::/33')!, parseIp('2001:db8:7fff::1')!));
  assert.ok(!cidrContains(parseCidr('2001:db8::/33')!, parseIp('2001:db8:8000::1')!));
  assert.ok(cidrOverlaps(parseCidr('10.0.0.0/8')!, parseCidr('10.200.0.0/16')!));
  assert.ok(!cidrOverlaps(parseCidr('10.0.0.0/8')!, parseCidr('11.0.0.0/8')!));
});

test('masking a prefix twice changes nothing', () => {
  fc.assert(
    fc.property(fc.nat({ max: 0xffffffff }), fc.nat({ max: 32 }), (ip, prefix) => {
      const text = formatCidr(parseCidr(`${formatIp({ version: 4, words: [0, 0, 0, ip] })}/${prefix}`)!);
      assert.equal(formatCidr(parseCidr(text)!), text);
    }),
  );
});

test('private ranges are told from public ones at their edges', () => {
  for (const ip of [
    '10.0.0.0',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.9.9',
    '127.0.0.1',
    '169.254.1.1',
    '100.64.0.1',
    '::1',
    'fe80::1',
    'fd00::1',
  ]) {
    assert.ok(isPrivateIp(parseIp(ip)!), ip);
  }
  for (const ip of [
    '172.15.255.255',
    '172.32.0.0',
    '100.128.0.0',
    '100.63.255.255',
    '2001:db8::1',
    '8.8.8.8',
    'fec0::1',
    '::2',
  ]) {
    assert.ok(!isPrivateIp(parseIp(ip)!), ip);
  }
});
