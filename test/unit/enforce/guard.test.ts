import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AllowEntry, Decision, ProtectedEntry } from '../../../src/domain/decision.js';
import { ChangeRate, refuseDecision, type GuardState } from '../../../src/enforce/guard.js';
import { parseCidr } from '../../../src/util/ip.js';
import { decision, options } from './helpers.js';

const kept = (value: string, reason: ProtectedEntry['reason']) => ({
  network: parseCidr(value)!,
  entry: { value, reason, detail: 'test' },
});
const allowed = (value: string) => ({
  network: parseCidr(value)!,
  entry: { id: value, value, owner: 'ann', comment: 'partner', createdMs: 0, expiresMs: 0 } satisfies AllowEntry,
});

const state: GuardState = {
  protected: [
    kept('10.0.0.1', 'own_address'),
    kept('10.0.0.254', 'gateway'),
    kept('203.0.113.53', 'resolver'),
    kept('198.51.100.44', 'admin_session'),
    kept('192.0.2.0/24', 'configured'),
    kept('fd00::1', 'own_address'),
  ],
  allowed: [allowed('203.0.113.128/25')],
  elements: 10,
  quarantined: 0,
};
const judge = (value: string, more: Partial<Decision> = {}, s: Partial<GuardState> = {}, o = options()) =>
  refuseDecision(decision(value, more), { ...state, ...s }, o);

describe('hostile decisions are refused with the reason', () => {
  const cases: [string, Partial<Decision>, RegExp][] = [
    ['0.0.0.0/0', {}, /wider than the limit/],
    ['::/0', {}, /wider than the limit/],
    ['0.0.0.0', {}, /this network/],
    ['203.0.0.0/15', {}, /\/15 is wider than the limit \/16/],
    ['2001:db8::/47', {}, /\/47 is wider than the limit \/48/],
    ['127.0.0.1', {}, /loopback/],
    ['127.0.0.0/16', {}, /loopback/],
    ['::1', {}, /loopback/],
    ['::ffff:127.0.0.1', {}, /loopback/],
    ['224.0.0.251', {}, /multicast/],
    ['ff02::1', {}, /multicast/],
    ['255.255.255.255', {}, /multicast|broadcast/],
    ['10.0.0.1', {}, /protected \(own_address/],
    ['::ffff:10.0.0.1', {}, /protected \(own_address/],
    ['10.0.0.0/24', {}, /protected/],
    ['10.0.0.254', { action: 'rate_limit' }, /gateway/],
    ['10.0.0.254', { traffic: 'to' }, /gateway/],
    ['10.0.0.254', { scope: 'service', proto: 6, port: 53 }, /gateway/],
    ['203.0.113.53', {}, /resolver/],
    ['198.51.100.44', {}, /admin_session/],
    ['192.0.2.77', {}, /configured/],
    ['192.0.2.0/23', {}, /configured/],
    ['fd00::1', {}, /own_address/],
    ['203.0.113.200', {}, /allowlist of ann: partner/],
    ['203.0.113.192/26', {}, /allowlist/],
    ['; drop table', {}, /not an address/],
    ['203.0.113.7/33', {}, /not an address/],
    ['', {}, /not an address/],
    ['203.0.113.7', { durationSecs: 31 * 86_400 }, /longer than the limit/],
    ['203.0.113.7', { durationSecs: NaN }, /not a duration/],
    ['203.0.113.7', { durationSecs: -1 }, /not a duration/],
    ['203.0.113.7', { durationSecs: 0, expiresMs: 0 }, /policy may not block without an end/],
    ['203.0.113.0/24', { traffic: 'both' }, /single hosts only/],
  ];
  for (const [value, more, want] of cases) {
    it(`${value || '(empty)'} ${JSON.stringify(more)}`, () => assert.match(judge(value, more) ?? 'accepted', want));
  }

  it('accepts ordinary ones, among them prefixes around an allowed host or a resolver', () => {
    for (const value of ['203.0.113.7', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/48'])
      assert.equal(judge(value), undefined, value);
    assert.equal(judge('203.0.113.7', { durationSecs: 0, expiresMs: 0, origin: 'operator' }), undefined);
    assert.equal(judge('10.0.0.254', { action: 'watch' }), undefined, 'watching blocks nobody');
  });

  it('knows limits of number', () => {
    assert.match(judge('203.0.113.7', {}, { elements: 600_000 }) ?? '', /600000 elements/);
    assert.match(judge('203.0.113.7', { traffic: 'to' }, { quarantined: 64 }) ?? '', /quarantined/);
    const strict = options({ guard: { allow_permanent: false } });
    assert.match(
      judge('203.0.113.7', { durationSecs: 0, expiresMs: 0, origin: 'operator' }, {}, strict) ?? '',
      /switched off/,
    );
  });
});

describe('the rate of change limit', () => {
  it('trips above the limit, once, and ends by itself', () => {
    const rate = new ChangeRate(10, 5000);
    for (let i = 0; i < 10; i++) assert.deepEqual(rate.count(i), { tripped: false, now: false });
    assert.deepEqual(rate.count(11), { tripped: true, now: true });
    assert.deepEqual(rate.count(12), { tripped: true, now: false });
    assert.deepEqual(rate.count(5000), { tripped: true, now: false });
    assert.equal(rate.trips, 1);
    assert.deepEqual(rate.count(65_000), { tripped: false, now: false });
  });

  it('does not trip at a steady rate below it', () => {
    const rate = new ChangeRate(10, 5000);
    for (let i = 0; i < 1000; i++) assert.equal(rate.count(i * 6100).tripped, false);
  });
});
