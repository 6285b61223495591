import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert } from '../../../src/domain/alert.js';
import { allFailures, firstFailure, type MatchContext } from '../../../src/policy/match.js';
import { parsePolicy, policyJsonSchema } from '../../../src/policy/index.js';
import { parseCidr } from '../../../src/util/ip.js';
import { makeAlert } from './helpers.js';

interface Situation extends Partial<Alert> {
  /** Local time of the box. */
  at?: string;
  offences?: number;
}

/** Monday, noon. */
const NOON = '2026-01-05T12:00:00';

/** A condition, situations in which it holds and in which it does not, and the words for the latter. */
type Case = [when: string, holds: Situation[], fails: Situation[], why: RegExp];

const CASES: Case[] = [
  ['tiers: [intel, signature]', [{ tiers: ['anomaly', 'intel'] }], [{ tiers: ['anomaly'] }], /tiers anomaly not in/],
  ['min_tiers: 2', [{ tiers: ['anomaly', 'intel'] }], [{ tiers: ['anomaly'] }], /1 tier\(s\) agree, 2 needed/],
  ["labels: ['*_scan', dos]", [{ label: 'port_scan' }, { label: 'dos' }], [{ label: 'dos_x' }], /label dos_x/],
  ['min_severity: high', [{ severity: 'high' }, { severity: 'critical' }], [{ severity: 'medium' }], /below high/],
  ['min_confidence: 0.8', [{ confidence: 0.8 }], [{ confidence: 0.79 }], /confidence 0\.79 < 0\.8/],
  ['min_score: 0.5', [{ score: 0.5 }], [{ score: 0.4 }], /score 0\.40 < 0\.5/],
  ['signature: { ids: [7, 8] }', [{ signatureId: 8 }], [{ signatureId: 9 }], /signature 9/],
  ["signature: { categories: ['web-*'] }", [{ category: 'web-app' }], [{ category: 'dns' }], /category "dns"/],
  [
    'signature: { actions: [drop] }',
    [{ metadata: { rule_action: ['drop'] } }],
    [{ metadata: {} }, { metadata: { rule_action: ['reject'] } }],
    /rule action/,
  ],
  [
    'signature: { metadata: { deployment: [perimeter, datacenter], confidence: [high] } }',
    [{ metadata: { deployment: ['datacenter'], confidence: ['low', 'high'] } }],
    [{ metadata: { deployment: ['datacenter'] } }, { metadata: { deployment: ['x'], confidence: ['high'] } }],
    /metadata \w+ is/,
  ],
  [
    'direction: [inbound, internal]',
    [
      { offender: '203.0.113.7', victim: '10.0.0.1' },
      { offender: '10.0.0.2', victim: '10.0.0.1' },
    ],
    [
      { offender: '10.0.0.2', victim: '203.0.113.7' },
      { offender: '203.0.113.7', victim: '198.51.100.1' },
    ],
    /direction (outbound|external) not in/,
  ],
  ['sources: [203.0.113.0/28]', [{ offender: '203.0.113.15' }], [{ offender: '203.0.113.16' }], /outside the networks/],
  ["not_sources: ['2001:db8::/32']", [{ offender: '2001:db9::1' }], [{ offender: '2001:db8::1' }], /excluded network/],
  ['targets: [10.0.0.0/24]', [{ victim: '10.0.0.9' }], [{ victim: '10.0.1.9' }], /victim 10\.0\.1\.9 is outside/],
  ['not_targets: [10.0.0.0/24]', [{ victim: '10.0.1.9' }], [{ victim: '10.0.0.9' }], /excluded network/],
  [
    'ports: [22, 8000-8100]',
    [{ ports: [1, 8050] }, { ports: [], dstPort: 22 }],
    [{ ports: [23] }],
    /no destination port/,
  ],
  ['protocols: [udp, icmp]', [{ proto: 17 }, { proto: 1 }], [{ proto: 6 }], /protocol 6 not in/],
  ['time: { days: [mon, tue] }', [{ at: NOON }], [{ at: '2026-01-04T12:00:00' }], /its day \(sun\) is not in mon, tue/],
  [
    "time: { from: '08:00', to: '18:00' }",
    [{ at: '2026-01-05T08:00:00' }, { at: '2026-01-05T17:59:59' }],
    [{ at: '2026-01-05T07:59:59' }, { at: '2026-01-05T18:00:00' }],
    /outside the time of day/,
  ],
  [
    // From Friday evening to Saturday morning, and no other morning.
    "time: { days: [fri], from: '22:00', to: '06:00' }",
    [{ at: '2026-01-09T22:00:00' }, { at: '2026-01-10T05:59:00' }],
    [{ at: '2026-01-09T05:59:00' }, { at: '2026-01-10T22:00:00' }, { at: '2026-01-09T12:00:00' }],
    /its day \((thu|sat)\)|outside the time of day/,
  ],
  ['min_count: 3', [{ count: 3 }], [{ count: 2 }], /seen 2 time\(s\), 3 needed/],
  ['min_offences: 2', [{ offences: 2 }], [{ offences: 1 }], /1 earlier offence/],
  ['intel: true', [{ tiers: ['intel'] }], [{ tiers: ['anomaly'] }], /does not know it/],
  ['intel: false', [{ tiers: ['anomaly'] }], [{ tiers: ['intel'] }], /knows it/],
  ['spoofable: false', [{ spoofable: false }], [{ spoofable: true }], /has not proved/],
];

function failuresOf(when: string, { at = NOON, offences = 0, ...alert }: Situation): string[] {
  const text = `format: 1\nname: p\ndescription: d\noutcome: monitor\nwhen: { ${when} }\n`;
  const parsed = parsePolicy(text, 'p.yaml');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const context: MatchContext = { nowMs: new Date(at).getTime(), homeNetworks: [parseCidr('10.0.0.0/8')!], offences };
  const failures = allFailures(parsed.policy, makeAlert(alert), context);
  assert.equal(firstFailure(parsed.policy, makeAlert(alert), context), failures[0]);
  return failures;
}

for (const [when, holds, fails, why] of CASES) {
  test(`the condition ${when} tells one alert from another, and says why`, () => {
    for (const situation of holds) assert.deepEqual(failuresOf(when, situation), [], JSON.stringify(situation));
    for (const situation of fails) {
      const [failure, ...others] = failuresOf(when, situation);
      assert.match(failure ?? 'it holds', why, JSON.stringify(situation));
      assert.deepEqual(others, []);
    }
  });
}

test('every condition of the schema is among these', () => {
  type Schema = { properties?: Record<string, Schema> };
  const { when } = (policyJsonSchema() as Schema).properties ?? {};
  const keys = Object.entries(when?.properties ?? {}).flatMap(([key, { properties }]) =>
    properties ? Object.keys(properties).map((part) => `${key}: \\{.*${part}:`) : [`^${key}:`],
  );
  assert.ok(keys.length >= 20, `${keys.length} conditions`);
  for (const key of keys)
    assert.ok(
      CASES.some(([text]) => new RegExp(key).test(text)),
      `no case for ${key}`,
    );
});
