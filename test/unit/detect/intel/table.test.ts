import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fc } from '../../../support/fuzz.js';
import { IndicatorTable, TableBuilder } from '../../../../src/detect/intel/index.js';
import type { Indicator } from '../../../../src/domain/indicator.js';
import { cidrContains, parseCidr, parseIp } from '../../../../src/util/ip.js';

const NOW = 1_700_000_000;

function indicator(type: Indicator['type'], value: string, more: Partial<Indicator> = {}): Indicator {
  return { type, value, source: 'a', confidence: 0.7, label: 'bad', validFromMs: 0, validUntilMs: 0, ...more };
}

function tableOf(...indicators: Indicator[]): IndicatorTable {
  const builder = new TableBuilder(Math.max(1, indicators.length));
  for (const one of indicators) builder.add(one);
  return builder.build(NOW * 1000);
}

function find(table: IndicatorTable, address: string): number {
  const ip = parseIp(address)!;
  return table.findAddress(ip.version, ...ip.words);
}

test('addresses and prefixes are found, the narrowest first, and their neighbours are not', () => {
  const table = tableOf(
    indicator('ip', '203.0.113.7'),
    indicator('cidr', '203.0.113.0/24', { label: 'wide' }),
    indicator('cidr', '2001:db8::/48'),
  );
  assert.equal(table.entry(find(table, '203.0.113.7'), NOW)?.label, 'bad');
  assert.equal(table.entry(find(table, '203.0.113.8'), NOW)?.label, 'wide');
  assert.equal(find(table, '203.0.114.7'), -1);
  assert.ok(find(table, '2001:db8::ffff') >= 0);
  assert.equal(find(table, '2001:db8:1::1'), -1);
});

test('an IPv4 address is never taken for the IPv6 address with the same last word', () => {
  const table = tableOf(indicator('ip', '203.0.113.7'), indicator('ip', '::cb00:7108'));
  assert.equal(find(table, '::cb00:7107'), -1);
  assert.equal(find(table, '203.0.113.8'), -1);
});

test('a listed name covers the names below it and no other', () => {
  const table = tableOf(indicator('domain', 'evil.example'), indicator('domain', 'a.b.other.example'));
  for (const name of ['evil.example', 'www.evil.example', 'x.y.evil.example', 'a.b.other.example'])
    assert.ok(table.findDomain(name) >= 0, name);
  for (const name of ['notevil.example', 'example', 'evil.example.org', 'b.other.example', 'il.example'])
    assert.equal(table.findDomain(name), -1, name);
});

test('URLs and fingerprints are found as a whole and by their own type', () => {
  const value = 'e7d705a3286e19ea42f587b344ee6865';
  const table = tableOf(indicator('url', 'evil.example/a?b'), indicator('ja3', value));
  assert.ok(table.findText('url', 'evil.example/a?b') >= 0);
  assert.equal(table.findText('url', 'evil.example/a'), -1);
  assert.ok(table.findText('ja3', value) >= 0);
  assert.equal(table.findText('ja4', value), -1);
});

test('a value of two feeds is one entry with both names, the surer label and the longer validity', () => {
  const table = tableOf(
    indicator('ip', '203.0.113.7', { source: 'a', confidence: 0.4, label: 'weak', validUntilMs: (NOW + 10) * 1000 }),
    indicator('ip', '203.0.113.7', { source: 'b', confidence: 0.9, label: 'strong', validUntilMs: (NOW + 99) * 1000 }),
  );
  assert.equal(table.count, 1);
  assert.deepEqual(table.entry(find(table, '203.0.113.7'), NOW), {
    feeds: ['a', 'b'],
    confidence: 0.9,
    label: 'strong',
    validUntilSecs: NOW + 99,
  });
  assert.equal(table.entry(find(table, '203.0.113.7'), NOW + 100), undefined, 'it is over');
});

test('beyond the limit values are left out and counted', () => {
  const builder = new TableBuilder(2);
  for (const n of [1, 2, 3, 1]) builder.add(indicator('ip', `203.0.113.${n}`));
  assert.deepEqual([builder.count, builder.shed], [2, 1]);
});

test('the file holds the same table, and a damaged file is refused', () => {
  const table = tableOf(indicator('ip', '203.0.113.7'), indicator('domain', 'evil.example'));
  const file = table.serialize();
  const again = IndicatorTable.parse(file);
  assert.deepEqual(again.entry(find(again, '203.0.113.7'), NOW), table.entry(find(table, '203.0.113.7'), NOW));
  assert.ok(again.findDomain('x.evil.example') >= 0);
  for (const [what, damaged] of [
    ['cut', file.subarray(0, file.length - 7)],
    ['empty', file.subarray(0, 3)],
    ['flipped', Buffer.from(file.map((byte, i) => (i === 60 ? byte ^ 1 : byte)))],
    ['foreign', Buffer.from('x'.repeat(500))],
  ] as const) {
    assert.throws(() => IndicatorTable.parse(damaged), Error, what);
  }
});

test('it answers as a plain search through the list does, whatever the networks', () => {
  const word = fc.integer({ min: 0x0b000000, max: 0x0b00ffff });
  const network = fc.tuple(word, fc.integer({ min: 16, max: 32 })).map(([w, prefix]) => {
    const masked = prefix === 32 ? w : w - (w % 2 ** (32 - prefix));
    return `${masked >>> 24}.${(masked >>> 16) & 255}.${(masked >>> 8) & 255}.${masked & 255}/${prefix}`;
  });
  fc.assert(
    fc.property(fc.array(network, { maxLength: 60 }), fc.array(word, { maxLength: 60 }), (networks, words) => {
      const table = tableOf(...networks.map((value) => indicator('cidr', value)));
      for (const w of words) {
        const text = `${w >>> 24}.${(w >>> 16) & 255}.${(w >>> 8) & 255}.${w & 255}`;
        const expected = networks.some((n) => cidrContains(parseCidr(n)!, parseIp(text)!));
        assert.equal(find(table, text) >= 0, expected, text);
      }
    }),
  );
});

test('a million indicators fit in 200 MB with their table', () => {
  const builder = new TableBuilder(1_000_000);
  for (let i = 0; i < 1_000_000; i++) {
    const type = i % 2 === 0 ? 'ip' : 'domain';
    const value = type === 'ip' ? `${11 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.9` : `host-${i}.evil.example`;
    builder.add(indicator(type, value));
  }
  const table = builder.build(0);
  assert.equal(table.count, 1_000_000);
  assert.ok(table.bytes < 200e6, `${table.bytes} bytes`);
  assert.ok(table.findDomain('x.host-7.evil.example') >= 0);
  assert.equal(table.findDomain('host-8.evil.example'), -1);
});
