import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DecisionRequest } from '../../../src/contract/http.js';
import { loadConfig } from '../../../src/config/index.js';
import { extended, refuseUnfit, toDecision } from '../../../src/daemons/server/requested-decision.js';
import type { Decision } from '../../../src/domain/decision.js';
import { parseCidr } from '../../../src/util/ip.js';

const config = await loadConfig();
const DAY_SECS = 86_400;

function asked(value: string, change: Partial<DecisionRequest> = {}): Decision {
  const parts = { settings: { mode: () => 'enforce', pausedUntilMs: () => 0 } } as unknown as Parameters<
    typeof toDecision
  >[0];
  const request = { value, durationSecs: 600, reason: 'test', ...change };
  return toDecision(parts, request, parseCidr(value)!, { name: 'anna', origin: 'operator' });
}

describe('what an operator asks for is refused at once when no responder would do it', () => {
  const cases: [string, Partial<DecisionRequest>, RegExp][] = [
    ['203.0.113.7', { durationSecs: 31 * DAY_SECS }, /31 ?d.* is longer than the limit/],
    ['127.0.0.1', {}, /loopback/],
    ['0.0.0.0', {}, /this network/],
    ['::', {}, /unspecified/],
    ['224.0.0.251', {}, /multicast/],
    ['ff02::1', {}, /multicast/],
    ['255.255.255.255', {}, /multicast|broadcast/],
    ['203.0.0.0/8', {}, /wider than the limit/],
    ['203.0.113.7', { proto: 1, port: 8 }, /no ports/],
    ['203.0.113.0/24', { scope: 'ip' }, /single address/],
    ['203.0.113.7', { scope: 'service', action: 'rate_limit', proto: 6, port: 22 }, /whole addresses/],
  ];
  for (const [value, change, why] of cases) {
    it(`${value} ${JSON.stringify(change)}`, () => {
      assert.throws(
        () => refuseUnfit({ config }, asked(value, change)),
        (error: Error & { code?: string }) => error.code === 'decision.invalid' && why.test(error.message),
      );
    });
  }

  it('and not otherwise: up to the limit, without an end, a prefix, one service', () => {
    refuseUnfit({ config }, asked('203.0.113.7', { durationSecs: 30 * DAY_SECS }));
    refuseUnfit({ config }, asked('203.0.113.7', { durationSecs: 0 }));
    refuseUnfit({ config }, asked('203.0.113.0/24'));
    refuseUnfit({ config }, asked('2001:db8::/64', { proto: 6, port: 22 }));
  });

  it('nor is one made longer than the limit in all, bit by bit', () => {
    const decision = asked('203.0.113.7');
    decision.createdMs -= 20 * DAY_SECS * 1000;
    refuseUnfit({ config }, extended(decision, 9 * DAY_SECS));
    assert.throws(() => refuseUnfit({ config }, extended(decision, 11 * DAY_SECS)), /longer than the limit/);
  });
});
