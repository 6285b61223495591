import assert from 'node:assert/strict';
import test from 'node:test';
import type { Alert } from '../../../src/domain/alert.js';
import type { AllowEntry } from '../../../src/domain/decision.js';
import type { FlowRecord } from '../../../src/domain/flow.js';
import {
  createBacktest,
  explainAlert,
  parsePolicy,
  policyOptionsSchema,
  type BacktestInput,
  type Policy,
} from '../../../src/policy/index.js';

const T0 = Date.UTC(2026, 0, 10, 12);
const DAY_MS = 86_400_000;

function policy(name: string, when: string, extra = ''): Policy {
  const text = `format: 1
name: ${name}
description: d
when: { ${when} }
respond:
  ladder:
    - { action: block, duration: 60 }
${extra}`;
  const parsed = parsePolicy(text, 'p.yaml');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.policy;
}

let serial = 0;

function alert(overrides: Partial<Alert> = {}): Alert {
  const id = `a${++serial}`;
  const offender = overrides.offender ?? '203.0.113.7';
  return {
    id,
    key: id,
    incidentId: 'i',
    sensor: 's',
    title: 'Port scan',
    label: 'port_scan',
    category: '',
    tiers: ['behaviour'],
    severity: 'high',
    score: 1,
    confidence: 0.7,
    victim: '192.168.1.10',
    spoofable: false,
    signatureId: 1,
    gid: 2,
    rev: 1,
    evidence: [],
    metadata: {},
    count: 1,
    firstMs: T0,
    lastMs: T0,
    state: 'open',
    noBlock: false,
    packetUs: 0,
    detectedUs: 0,
    victims: [],
    ports: [22],
    srcIp: offender,
    srcPort: 40000,
    dstIp: '192.168.1.10',
    dstPort: 22,
    proto: 6,
    ...overrides,
    offender,
  };
}

function flow(srcIp: string, endMs: number): FlowRecord {
  return {
    flowId: 1,
    communityId: '',
    ipVersion: 4,
    proto: 6,
    srcIp,
    srcPort: 1,
    dstIp: '192.168.1.10',
    dstPort: 443,
    startUs: endMs * 1000,
    endUs: endMs * 1000,
    packetsFwd: 5,
    packetsBwd: 5,
    bytesFwd: 500,
    bytesBwd: 500,
    payloadFwd: 100,
    payloadBwd: 100,
    tcpFlagsFwd: 0,
    tcpFlagsBwd: 0,
    tcpState: 3,
    endReason: 'closed',
    vlan: 0,
    interfaceId: 0,
    icmpType: -1,
    icmpCode: -1,
  };
}

function allow(value: string, createdMs: number): AllowEntry {
  return { id: value, value, owner: 'ada', comment: 'partner', createdMs, expiresMs: 0 };
}

const SURE = policy('sure', 'labels: [port_scan], min_confidence: 0.9');
const EAGER = policy('sure', 'labels: [port_scan], min_confidence: 0.5');

function backtest(input: Partial<BacktestInput>) {
  return createBacktest({
    active: [SURE],
    options: policyOptionsSchema.parse({}),
    allowed: [],
    protected: [],
    label: () => undefined,
    ...input,
  });
}

test('a candidate is compared with the policies in force, block by block', () => {
  const test_ = backtest({ candidate: [EAGER] });
  test_.alert(alert({ offender: '203.0.113.1', confidence: 0.95 }));
  test_.alert(alert({ offender: '203.0.113.2', confidence: 0.6 }));
  test_.alert(alert({ offender: '203.0.113.3', confidence: 0.1 }));
  const { active, candidate, blocks, alerts } = test_.result();
  assert.deepEqual([alerts, active.decisions, candidate?.decisions], [3, 1, 2]);
  assert.deepEqual(
    blocks.map((b) => [b.alert.offender, b.by]),
    [
      ['203.0.113.2', 'candidate'],
      ['203.0.113.1', 'both'],
    ],
  );
});

test('blocks of sources that an analyst called benign come first and are counted', () => {
  const test_ = backtest({ active: [EAGER], label: (o) => (o === '203.0.113.2' ? 'benign' : 'guilty') });
  for (const n of [1, 2, 3]) test_.alert(alert({ offender: `203.0.113.${n}` }));
  const { active, blocks } = test_.result();
  assert.deepEqual([active.offenders, active.innocentOffenders, active.innocentSecs], [3, 1, 60]);
  assert.deepEqual([blocks[0]?.alert.offender, blocks[0]?.innocent?.reason], ['203.0.113.2', 'label']);
});

test('an exemption of that time refuses as live; one made later proves that the source was innocent', () => {
  const earlier = backtest({ active: [EAGER], allowed: [allow('203.0.113.0/24', T0 - 1000)] });
  earlier.alert(alert());
  assert.equal(earlier.result().active.decisions, 0);
  const later = backtest({ active: [EAGER], allowed: [allow('203.0.113.0/24', T0 + 1000)] });
  later.alert(alert());
  assert.equal(later.result().blocks[0]?.innocent?.reason, 'allowlist');
});

test('a source that talked two-way on three days before its first alert has a clean history', () => {
  const reason = (days: number) => {
    const test_ = backtest({ active: [EAGER] });
    for (let day = days; day > 0; day--) {
      for (let i = 0; i < 10; i++) test_.flow(flow('203.0.113.7', T0 - day * DAY_MS + 1000 * i));
    }
    test_.alert(alert());
    return test_.result().blocks[0]?.innocent?.reason;
  };
  assert.deepEqual([reason(2), reason(3)], [undefined, 'clean_history']);
});

test('the blast radius of the time narrows a block as live', () => {
  const scope = (flows: number) => {
    const test_ = backtest({ active: [wide()] });
    for (let i = 0; i < flows; i++) test_.flow(flow('203.0.113.9', T0 - 60_000 + i));
    test_.alert(alert({ offender: '203.0.113.7' }));
    return test_.result().blocks[0]?.decision.scope;
  };
  assert.deepEqual([scope(5), scope(25)], ['cidr', 'service'], 'a neighbour in the /24 with many ordinary flows');
});

function wide(): Policy {
  const parsed = parsePolicy(
    'format: 1\nname: wide\ndescription: d\nrespond:\n  ladder:\n    - { action: block, scope: cidr, duration: 60 }\n',
    'p.yaml',
  );
  assert.ok(parsed.ok);
  return parsed.policy;
}

test('a policy that only observes decides nothing in force, and counts as switched on when it is tried', () => {
  const observing = policy('sure', 'labels: [port_scan]', 'mode: observe\n');
  const test_ = backtest({ active: [observing], candidate: [observing] });
  test_.alert(alert());
  const { active, candidate } = test_.result();
  assert.deepEqual([active.decisions, candidate?.decisions], [0, 1]);
});

test('an alert that the other model would not raise is judged by the policies in force only', () => {
  const test_ = backtest({ active: [EAGER], candidate: [EAGER] });
  test_.alert(alert({ offender: '203.0.113.1' }), null);
  assert.deepEqual(
    test_.result().blocks.map((b) => b.by),
    ['active'],
  );
});

test('an explanation names the clause that failed and the policy that was nearest', () => {
  const far = policy('far', 'labels: [flood], min_severity: critical, min_confidence: 0.9');
  const guards = { findProtected: () => undefined, findAllowed: () => undefined, blastRadius: () => undefined };
  const { verdict, nearest, text } = explainAlert([far, SURE], alert(), policyOptionsSchema.parse({}), guards);
  assert.equal(verdict.outcome, 'monitor');
  assert.deepEqual(
    nearest.map((n) => [n.policy, n.failed.length]),
    [
      ['sure', 1],
      ['far', 3],
    ],
  );
  assert.match(text.join('\n'), /sure did not match: confidence 0.70 < 0.9\./);
});
