import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlateOptionsSchema, createCorrelator } from '../../../src/correlate/index.js';
import type { AlertUpdate } from '../../../src/domain/alert.js';
import type { Detection } from '../../../src/domain/detection.js';

const MS = 1_735_689_600_000;

function detection(change: Partial<Detection> & { atMs?: number } = {}): Detection {
  const { atMs = 0, ...rest } = change;
  const us = (MS + atMs) * 1000;
  return {
    id: 'd',
    tier: 'behaviour',
    signatureId: 1001,
    gid: 2,
    rev: 1,
    label: 'port_scan',
    title: 'Port scan',
    category: 'Network scan',
    severity: 'medium',
    score: 0.5,
    confidence: 0.5,
    offender: '192.0.2.1',
    spoofable: true,
    evidence: [{ name: 'ports', value: 10 }],
    packetUs: us,
    detectedUs: us,
    sensor: 'test',
    srcIp: '192.0.2.1',
    srcPort: 4000,
    dstIp: '10.0.0.1',
    dstPort: 22,
    proto: 6,
    ...rest,
  };
}

function run(options: object = {}) {
  const updates: AlertUpdate[] = [];
  let n = 0;
  const correlator = createCorrelator(correlateOptionsSchema.parse(options), {
    emit: (update) => updates.push(update),
    newId: () => `id-${++n}`,
  });
  return { correlator, updates };
}

test('detections of one offender and label become one alert with count, victims and ports', () => {
  const { correlator, updates } = run();
  correlator.push(detection());
  correlator.push(detection({ atMs: 2000, dstIp: '10.0.0.2', dstPort: 80 }));
  correlator.push(detection({ atMs: 2100, label: 'host_sweep' }));
  assert.equal(updates.length, 3, 'new, count doubled, new label');
  assert.equal(updates[1]!.alert.id, updates[0]!.alert.id);
  assert.equal(updates[1]!.isNew, false);
  assert.equal(updates[1]!.alert.count, 2);
  assert.deepEqual(updates[1]!.alert.victims, ['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(updates[1]!.alert.ports, [22, 80]);
  assert.notEqual(updates[2]!.alert.id, updates[0]!.alert.id);
  assert.equal(updates[2]!.alert.incidentId, updates[0]!.alert.incidentId);
});

test('confidence is noisy-or over tiers, each under its cap and counted once', () => {
  const { correlator, updates } = run();
  for (let i = 0; i < 5; i++) correlator.push(detection({ atMs: i * 2000 }));
  assert.equal(updates.at(-1)!.alert.confidence, 0.5, 'repetition of one tier adds nothing');
  correlator.push(detection({ atMs: 20_000, tier: 'classification', gid: 3, confidence: 0.99 }));
  const both = updates.at(-1)!.alert.confidence;
  assert.ok(Math.abs(both - (1 - 0.5 * (1 - 0.95))) < 1e-9, `${both}: capped at 0.95`);
  assert.deepEqual(updates.at(-1)!.alert.tiers, ['classification', 'behaviour']);
});

test('it speaks again for a new tier, worse severity, surer, double count, and a proven address only', () => {
  const { correlator, updates } = run();
  let atMs = 0;
  const step = (change: Partial<Detection>): number => {
    const before = updates.length;
    correlator.push(detection({ atMs: (atMs += 1500), ...change }));
    return updates.length - before;
  };
  assert.equal(step({}), 1);
  assert.equal(step({}), 1, 'count 2');
  assert.equal(step({}), 0, 'count 3');
  assert.equal(step({}), 1, 'count 4');
  assert.equal(step({ severity: 'high' }), 1);
  assert.equal(step({ confidence: 0.55 }), 0);
  assert.equal(step({ confidence: 0.65 }), 1);
  assert.equal(step({ spoofable: false }), 1);
  assert.equal(step({}), 0, 'count 9 after 8');
  assert.equal(step({ tier: 'intel' }), 1);
  assert.equal(step({}), 0);
});

test('at most one update a second, and the last word is said at the tick', () => {
  const { correlator, updates } = run();
  for (let i = 0; i < 100; i++) correlator.push(detection({ atMs: i * 5 }));
  assert.equal(updates.length, 1);
  correlator.tick(MS + 900);
  assert.equal(updates.length, 1);
  correlator.tick(MS + 1100);
  assert.equal(updates.length, 2);
  assert.equal(updates[1]!.alert.count, 100);
  correlator.tick(MS + 5000);
  assert.equal(updates.length, 2);
});

test('after quiet time the next detection opens a new alert, and later a new incident', () => {
  const { correlator, updates } = run({ alertIdleSecs: 60, incidentIdleSecs: 300 });
  correlator.push(detection());
  correlator.push(detection({ atMs: 61_000 }));
  assert.ok(updates[1]!.isNew);
  assert.equal(updates[1]!.alert.incidentId, updates[0]!.alert.incidentId);
  correlator.push(detection({ atMs: 61_000 + 301_000 }));
  assert.notEqual(updates[2]!.alert.incidentId, updates[0]!.alert.incidentId);
});

test('an alert that was told does not change under the reader', () => {
  const { correlator, updates } = run();
  correlator.push(detection());
  correlator.push(detection({ atMs: 3000, dstIp: '10.0.0.9' }));
  assert.equal(updates[0]!.alert.count, 1);
  assert.deepEqual(updates[0]!.alert.victims, ['10.0.0.1']);
});

test('newer evidence of the same detector replaces the older, and lists are capped', () => {
  const { correlator, updates } = run({ maxEvidence: 2, maxVictims: 3, maxPorts: 2 });
  for (let i = 0; i < 8; i++) {
    correlator.push(
      detection({
        atMs: i * 1500,
        dstIp: `10.0.0.${i}`,
        dstPort: i + 1,
        evidence: [
          { name: 'ports', value: 10 + i },
          { name: 'a', value: 1 },
          { name: 'b', value: 2 },
        ],
      }),
    );
  }
  const { alert } = updates.at(-1)!;
  assert.deepEqual(
    alert.evidence.map((e) => e.name),
    ['ports', 'a'],
  );
  assert.equal(alert.evidence[0]!.value, 17);
  assert.equal(alert.victims.length, 3);
  assert.equal(alert.ports.length, 2);
});

test('noBlock holds only while every detection says so', () => {
  const { correlator, updates } = run();
  correlator.push(detection({ noBlock: true }));
  assert.equal(updates[0]!.alert.noBlock, true);
  correlator.push(detection({ atMs: 2000 }));
  assert.equal(updates[1]!.alert.noBlock, false);
});

test('a flood with forged sources is one alert of its target', () => {
  const { correlator, updates } = run();
  const flood = { label: 'syn_flood', victim: '10.0.0.1', noBlock: true, metadata: { scope: ['target'] } };
  correlator.push(detection({ ...flood, offender: '198.51.100.1' }));
  correlator.push(detection({ ...flood, offender: '203.0.113.77', atMs: 2000 }));
  assert.equal(updates.filter((u) => u.isNew).length, 1);
});

test('suppressions that people make hold at once, count what they stop, and end when they are removed', () => {
  const { correlator, updates } = run({ suppress: [{ label: 'configured' }] });
  const entry = {
    id: 'a',
    signatureId: 7,
    gid: 1,
    offender: '203.0.113.0/24',
    untilMs: 0,
    comment: 'c',
    owner: 'ada',
    createdMs: 1,
  };
  const push = (): void => correlator.push(detection({ signatureId: 7, gid: 1, offender: '203.0.113.9' }));
  correlator.suppressions.replace([entry]);
  push();
  push();
  assert.equal(updates.length, 0);
  assert.equal(correlator.suppressions.hits().get('a')?.count, 2);
  correlator.push(detection({ label: 'configured', offender: '198.51.100.1' }));
  assert.equal(updates.length, 0, 'those of the configuration stay');
  correlator.push(detection({ signatureId: 7, gid: 1, offender: '198.51.100.9' }));
  assert.equal(updates.length, 1, 'another offender is not covered');
  correlator.suppressions.replace([]);
  push();
  assert.equal(updates.length, 2);
  assert.equal(correlator.suppressions.hits().has('a'), false);
});

test('suppressions hold by every stated field and until their time', () => {
  const pushed = (suppression: object, change: Parameters<typeof detection>[0] = {}): number => {
    const { correlator, updates } = run({ suppress: [suppression] });
    correlator.push(detection(change));
    return updates.length;
  };
  assert.equal(pushed({ offender: '192.0.2.0/24' }), 0);
  assert.equal(pushed({ offender: '192.0.3.0/24' }), 1);
  assert.equal(pushed({ offender: '192.0.2.1', label: 'port_scan' }), 0);
  assert.equal(pushed({ offender: '192.0.2.1', label: 'beacon' }), 1);
  assert.equal(pushed({ gid: 2, signatureId: 1001 }), 0);
  assert.equal(pushed({ victim: '10.0.0.1' }), 0);
  assert.equal(pushed({ label: 'port_scan', untilMs: MS + 10 }), 0);
  assert.equal(pushed({ label: 'port_scan', untilMs: MS + 10 }, { atMs: 11 }), 1);
  assert.throws(() => correlateOptionsSchema.parse({ suppress: [{}] }));
});

test('open alerts and incidents are bounded, evictions are counted, nothing waiting is lost', () => {
  const { correlator, updates } = run({ maxAlerts: 16, maxOffenders: 16 });
  correlator.push(detection({ offender: '10.9.9.9' }));
  correlator.push(detection({ offender: '10.9.9.9', atMs: 1 }));
  for (let i = 0; i < 100; i++) correlator.push(detection({ offender: `10.8.0.${i}`, atMs: 2 + i }));
  const stats = correlator.stats();
  assert.equal(stats['alerts_open'], 16);
  assert.equal(stats['alerts_evicted'], 85);
  assert.equal(stats['offenders_evicted'], 85);
  assert.equal(updates.filter((u) => u.alert.offender === '10.9.9.9').at(-1)!.alert.count, 2);
});

test('tiers agree on a kind of behaviour although they use other labels, and intelligence agrees with all', () => {
  const { correlator, updates } = run();
  correlator.push(detection());
  correlator.push(
    detection({
      atMs: 1500,
      tier: 'signature',
      gid: 1,
      label: 'attempted-recon',
      category: 'Attempted Information Leak',
    }),
  );
  const signature = updates.at(-1)!.alert;
  assert.equal(signature.label, 'attempted-recon');
  assert.equal(signature.tiers.length, 2);
  correlator.push(detection({ atMs: 3000, tier: 'intel', gid: 5, label: 'intel_match' }));
  correlator.push(detection({ atMs: 4500 }));
  assert.deepEqual([...updates.at(-1)!.alert.tiers].sort(), ['behaviour', 'intel', 'signature']);
});

test('what the inline daemon and the sensor say of one packet is counted once, with the evidence of both', () => {
  const { correlator, updates } = run();
  const rule = { tier: 'signature', gid: 1, signatureId: 7, label: 'web_attack', communityId: '1:x' } as const;
  const stopped = { metadata: { inline_verdict: ['drop'] }, evidence: [{ name: 'inline', value: 'drop' }] };
  const alertNow = () => updates.at(-1)!.alert;
  correlator.push(detection(rule));
  correlator.push(detection({ ...rule, ...stopped, atMs: 40 }));
  assert.equal(updates.length, 1);
  correlator.tick(MS + 2000);
  assert.deepEqual([updates.length, alertNow().count, alertNow().metadata['inline_verdict']], [2, 1, ['drop']]);
  assert.ok(alertNow().evidence.some((item) => item.name === 'inline'));
  // The other way round, and not what only looks alike.
  correlator.push(detection({ ...rule, ...stopped, communityId: '1:y', atMs: 3000 }));
  correlator.push(detection({ ...rule, communityId: '1:y', atMs: 3001 }));
  assert.equal(correlator.stats()['seen_twice'], 2);
  correlator.tick(MS + 20_000);
  assert.equal(alertNow().count, 2);
  for (const [atMs, communityId] of [
    [21_000, '1:y'],
    [22_000, '1:y'],
    [23_000, '1:z'],
  ] as const)
    correlator.push(detection({ ...rule, communityId, atMs }));
  correlator.push(detection({ ...rule, ...stopped, communityId: '1:z', signatureId: 8, atMs: 23_000 }));
  assert.equal(correlator.stats()['seen_twice'], 2, 'the same witness twice, another connection, another rule');
});
