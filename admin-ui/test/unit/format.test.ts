import { describe, expect, it } from 'vitest';
import {
  attackedPort,
  formatEndpoint,
  formatProto,
  isAddress,
  isAddressOrPrefix,
  parseTarget,
  surroundingPrefix,
} from '@/format/address';
import { formatBytes, formatCompact, formatLatency, formatShare } from '@/format/number';
import { formatAgo, formatCountdown, formatDuration, formatTime, formatUtc } from '@/format/time';

describe('times', () => {
  const noon = Date.UTC(2026, 10, 21, 12, 0, 0);

  it.each([
    [0, '0 s'],
    [45, '45 s'],
    [60, '1 min'],
    [4325, '1 h 12 min'],
    [3605, '1 h'],
    [86_400, '1 d'],
    [90_061, '1 d 1 h'],
  ])('writes %i s as %s', (secs, text) => expect(formatDuration(secs)).toBe(text));

  it.each([
    [noon - 500, 'now'],
    [noon - 5000, '5 s ago'],
    [noon - 125_000, '2 min ago'],
    [noon + 7_200_000, 'in 2 h'],
  ])('writes distances', (ms, text) => expect(formatAgo(ms, noon)).toBe(text));

  it('shows local time, and UTC for the hover', () => {
    expect(formatTime(noon, noon)).toBe('13:00:00');
    expect(formatUtc(noon + 123)).toBe('2026-11-21 12:00:00.123 UTC');
  });

  it('adds the day to times of other days and the year to those of other years', () => {
    expect(formatTime(noon - 86_400_000, noon)).toMatch(/^20 Nov/);
    expect(formatTime(noon - 400 * 86_400_000, noon)).toContain('2025');
  });

  it.each([
    [245, '4:05'],
    [3845, '1:04:05'],
    [-3, '0:00'],
  ])('counts down', (secs, text) => expect(formatCountdown(secs)).toBe(text));
});

describe('ports', () => {
  const seen = { offender: '203.0.113.7', srcIp: '203.0.113.7', srcPort: 40_000, dstIp: '10.0.0.2', dstPort: 21 };
  const answer = { ...seen, srcIp: '10.0.0.2', srcPort: 21, dstIp: '203.0.113.7', dstPort: 40_000 };
  it('is the one that was attacked, also when the answer gave the attacker away', () => {
    expect(attackedPort(seen)).toBe(21);
    expect(attackedPort(answer)).toBe(21);
  });
  it('is none when there are several, or none', () => {
    expect(attackedPort({ ...seen, ports: [21, 22] })).toBeUndefined();
    expect(attackedPort({ ...seen, dstPort: 0 })).toBeUndefined();
  });
});

describe('numbers', () => {
  it.each([
    [9999, '9,999'],
    [12_340, '12.3K'],
    [5_600_000, '5.6M'],
  ])('shortens %i to %s', (n, text) => expect(formatCompact(n)).toBe(text));
  it.each([
    [512, '512 B'],
    [1536, '1.5 KiB'],
    [9.2e9, '8.6 GiB'],
  ])('writes %i bytes as %s', (n, text) => expect(formatBytes(n)).toBe(text));
  it.each([
    [840, '840 µs'],
    [3120, '3.12 ms'],
    [24_500, '24.5 ms'],
    [2_100_000, '2.1 s'],
  ])('writes %i us as %s', (n, text) => expect(formatLatency(n)).toBe(text));
  it('never rounds a loss down to nothing', () => {
    expect(formatShare(0)).toBe('0 %');
    expect(formatShare(0.000001)).toBe('<0.01 %');
    expect(formatShare(0.0042)).toBe('0.42 %');
    expect(formatShare(0.834)).toBe('83.4 %');
    expect(formatShare(1)).toBe('100 %');
  });
});

describe('addresses', () => {
  it.each(['203.0.113.7', '2001:db8::1', '::1', '::ffff:203.0.113.7'])('takes %s', (text) =>
    expect(isAddress(text)).toBe(true),
  );
  it.each(['', '203.0.113', '203.0.113.256', '1.2.3.4.5', 'example.org', '2001:db8:::1', '203.0.113.7/24', "1'--"])(
    'refuses "%s" as an address',
    (text) => expect(isAddress(text)).toBe(false),
  );
  it('knows prefixes', () => {
    expect(isAddressOrPrefix('203.0.113.0/24')).toBe(true);
    expect(isAddressOrPrefix('2001:db8::/64')).toBe(true);
    expect(isAddressOrPrefix('203.0.113.0/33')).toBe(false);
    expect(isAddressOrPrefix('203.0.113.0/')).toBe(false);
    expect(isAddressOrPrefix('203.0.113.0/24/1')).toBe(false);
  });
  it.each([
    ['203.0.113.7:443', { address: '203.0.113.7', port: 443 }],
    ['[2001:db8::1]:22', { address: '2001:db8::1', port: 22 }],
    ['2001:db8::1 22', { address: '2001:db8::1', port: 22 }],
    [' 2001:db8::1 ', { address: '2001:db8::1' }],
    ['203.0.113.7:70000', null],
    ['nonsense', null],
  ])('reads the target "%s"', (text, target) => expect(parseTarget(text)).toEqual(target));
  it.each([
    ['203.0.113.7', '203.0.113.0/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8::/64'],
    ['fe80::1', 'fe80::/64'],
    ['2001:db8:0:5::9', '2001:db8:0:5::/64'],
  ])('widens %s to %s', (address, prefix) => expect(surroundingPrefix(address)).toBe(prefix));
  it('writes endpoints and protocols', () => {
    expect(formatEndpoint('2001:db8::1', 443)).toBe('[2001:db8::1]:443');
    expect(formatEndpoint('203.0.113.7', 0)).toBe('203.0.113.7');
    expect(formatProto(6)).toBe('TCP');
    expect(formatProto(251)).toBe('proto 251');
    expect(formatProto(0)).toBe('any');
  });
});
