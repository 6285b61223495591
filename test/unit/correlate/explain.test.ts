import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlateOptionsSchema, createCorrelator } from '../../../src/correlate/index.js';
import type { AlertUpdate } from '../../../src/domain/alert.js';
import { behaviourOptionsSchema } from '../../../src/detect/behaviour/index.js';
import type { Detection } from '../../../src/domain/detection.js';

const MS = 1_735_689_600_000;

function behaviour(change: Partial<Detection> & { atMs?: number } = {}): Detection {
  const { atMs = 0, ...rest } = change;
  const us = (MS + atMs) * 1000;
  return {
    id: 'd', tier: 'behaviour', signatureId: 1001, gid: 2, rev: 1, label: 'port_scan', title: 'Port scan',
    category: 'Network scan', severity: 'medium', score: 0.5, confidence: 0.9, offender: '192.0.2.1', spoofable: true,
    evidence: [], packetUs: us, detectedUs: us, sensor: 'test', srcIp: '192.0.2.1', srcPort: 4000, dstIp: '10.0.0.1',
    dstPort: 22, proto: 6, ...rest,
  }; // prettier-ignore
}

const model = (change: Partial<Detection> & { atMs?: number } = {}): Detection =>
  behaviour({ tier: 'classification', gid: 3, label: 'unknown', title: 'Attack of an unknown kind', ...change });

function run(options: object = {}) {
  const updates: AlertUpdate[] = [];
  const correlator = createCorrelator(correlateOptionsSchema.parse(options), { emit: (u) => updates.push(u) });
  const titles = (): string[] => [...new Set(updates.map((u) => `${u.alert.offender} ${u.alert.title}`))];
  return { correlator, updates, titles };
}

test('a scan that the model calls unknown and a flood, before and after the behaviour is found, is one alert', () => {
  const { correlator, updates, titles } = run();
  correlator.push(model());
  correlator.push(model({ atMs: 100, label: 'flood', title: 'SYN flood', severity: 'high' }));
  correlator.push(behaviour({ atMs: 500 }));
  correlator.push(model({ atMs: 900, label: 'flood', title: 'SYN flood', severity: 'high' }));
  correlator.tick(MS + 60_000);
  assert.deepEqual(titles(), ['192.0.2.1 Port scan']);
  const { alert } = updates.at(-1)!;
  assert.equal(alert.count, 4);
  assert.equal(alert.severity, 'medium', 'what the model claims does not change how bad it is');
  assert.deepEqual(alert.metadata['model_labels'], ['unknown', 'flood']);
  assert.deepEqual(alert.tiers.toSorted(), ['behaviour', 'classification'], 'unknown agrees that it is hostile');
  assert.match(alert.evidence.find((e) => e.name === 'model_findings')!.text!, /flagged 3 of its flows/);
});

test('a class that contradicts the behaviour does not count as agreement', () => {
  const { correlator, updates } = run();
  correlator.push(behaviour());
  correlator.push(model({ atMs: 100, label: 'flood' }));
  correlator.tick(MS + 5000);
  assert.deepEqual(updates.at(-1)!.alert.tiers, ['behaviour']);
  assert.equal(updates.at(-1)!.alert.confidence, 0.9);
});

test('a finding of a model alone becomes an alert of its own after its wait; another source explains nothing', () => {
  const { correlator, titles } = run();
  correlator.push(behaviour({ offender: '192.0.2.9', srcIp: '192.0.2.9' }));
  correlator.push(model({ atMs: 10 }));
  correlator.tick(MS + 1000);
  assert.deepEqual(titles(), ['192.0.2.9 Port scan'], 'still waiting');
  correlator.tick(MS + 3000);
  assert.deepEqual(titles(), ['192.0.2.9 Port scan', '192.0.2.1 Attack of an unknown kind']);
});

test('a behaviour explains nothing any more when it is long over', () => {
  const { correlator, titles } = run();
  correlator.push(behaviour());
  correlator.push(model({ atMs: 100_000 }));
  correlator.tick(MS + 110_000);
  assert.equal(titles().length, 2);
});

test('a behaviour that goes on explains until it is told again', () => {
  const { realertSecs } = behaviourOptionsSchema.parse({});
  const { correlator, titles } = run();
  correlator.push(behaviour());
  correlator.push(model({ atMs: 1000 * realertSecs - 1 }));
  correlator.push(behaviour({ atMs: 1000 * realertSecs }));
  correlator.tick(MS + 1000 * realertSecs + 10_000);
  assert.equal(titles().length, 1);
});

test('what an anomaly model says of a source belongs to what a classifier says of it, in either order', () => {
  const anomaly = (atMs: number): Detection =>
    model({
      atMs,
      tier: 'anomaly',
      gid: 4,
      label: 'anomaly',
      title: 'Flow unlike the learnt baseline',
      severity: 'low',
    });
  const { correlator, updates, titles } = run();
  correlator.push(anomaly(0));
  correlator.push(model({ atMs: 1, label: 'flood', title: 'SYN flood', severity: 'high' }));
  correlator.tick(MS + 10_000);
  correlator.push(anomaly(20_000));
  correlator.tick(MS + 30_000);
  assert.deepEqual(titles(), ['192.0.2.1 SYN flood']);
  const { alert } = updates.at(-1)!;
  assert.deepEqual([alert.count, alert.severity, alert.tiers], [3, 'high', ['classification', 'anomaly']]);
  correlator.push(anomaly(200_000));
  correlator.push({ ...anomaly(200_000), offender: '192.0.2.2', srcIp: '192.0.2.2' });
  correlator.tick(MS + 210_000);
  assert.equal(titles().length, 3, 'long after, and of another source, it stands alone');
});

test('forged sources that the model flags belong to the alert of the flooded target', () => {
  const { correlator, updates, titles } = run();
  const flood = { label: 'syn_flood', title: 'SYN flood', noBlock: true, metadata: { scope: ['target'] } };
  correlator.push(behaviour({ ...flood, victim: '10.0.0.1' }));
  for (let i = 0; i < 50; i++) {
    const source = `198.51.100.${i}`;
    correlator.push(model({ atMs: 100 + i, label: 'flood', offender: source, srcIp: source }));
  }
  correlator.tick(MS + 10_000);
  assert.deepEqual(titles(), ['192.0.2.1 SYN flood']);
  assert.equal(updates.at(-1)!.alert.count, 51);
});

test('unproven sources that the model flags, before and after, belong to the alert of the flooded network', () => {
  const at = (network: string): Partial<Detection> => ({
    label: 'syn_flood',
    title: 'SYN flood of a network',
    noBlock: true,
    metadata: { scope: ['target'], network: [network] },
  });
  const source = (i: number, rest = {}): Detection =>
    model({ atMs: 400 + 4 * i, label: 'flood', offender: `198.51.100.${i}`, dstIp: `10.0.0.${i}`, ...rest });
  for (const network of ['10.0.0.0/24', '0.0.0.0/0']) {
    const { correlator, updates, titles } = run();
    for (let i = 0; i < 50; i++) correlator.push(source(i));
    correlator.push(behaviour({ atMs: 500, dstIp: '10.0.0.9', ...at(network) }));
    for (let i = 50; i < 100; i++) correlator.push(source(i));
    correlator.push(behaviour({ atMs: 900, offender: '203.0.113.9', srcIp: '203.0.113.9', title: 'Port scan' }));
    correlator.tick(MS + 90_000);
    correlator.push(behaviour({ atMs: 120_000, dstIp: '10.0.0.9', ...at(network) }));
    assert.deepEqual(titles(), ['192.0.2.1 SYN flood of a network', '203.0.113.9 Port scan'], network);
    assert.equal(updates.filter((u) => u.alert.label === 'syn_flood').at(-1)!.alert.count, 102);
    assert.ok(updates.every((u) => u.alert.label !== 'syn_flood' || u.alert.noBlock));
  }
  const other = run();
  other.correlator.push(behaviour({ dstIp: '10.0.1.9', ...at('10.0.1.0/24') }));
  other.correlator.push(source(1));
  other.correlator.push(source(2, { dstIp: '10.0.1.2', spoofable: false }));
  other.correlator.tick(MS + 5000);
  assert.equal(other.titles().length, 3, 'another network, and a source that owns its address');
});

test('a flood of a network explains what is called a flood or nothing in it; one between outside addresses only floods there', () => {
  const flood = (network: string, rest: object): Detection =>
    behaviour({
      label: 'syn_flood',
      title: 'SYN flood of a network',
      noBlock: true,
      metadata: { scope: ['target'], network: [network], ...rest },
    });
  /** Alerts beside the flood's own, of one finding of a model about an unproven source. */
  const alertsBeside = (told: Detection, found: Partial<Detection>): number => {
    const { correlator, titles } = run();
    correlator.push(told);
    correlator.push(model({ atMs: 100, offender: '198.51.100.7', srcIp: '198.51.100.7', ...found }));
    correlator.tick(MS + 10_000);
    return titles().length - 1;
  };
  const carpet = flood('10.0.0.0/24', {});
  const link = flood('0.0.0.0/0', { outside_of: ['10.0.0.0/8', 'fc00::/7'] });
  const inside = '10.0.0.44';
  const outside = '192.0.2.200';
  assert.equal(alertsBeside(carpet, { label: 'flood', dstIp: inside }), 0);
  assert.equal(alertsBeside(carpet, { label: 'unknown', dstIp: inside }), 0);
  assert.equal(alertsBeside(carpet, { label: 'sql_injection', dstIp: inside }), 1, 'another kind');
  assert.equal(alertsBeside(carpet, { label: 'flood', dstIp: outside }), 1, 'another network');
  assert.equal(alertsBeside(link, { label: 'flood', dstIp: outside }), 0);
  assert.equal(alertsBeside(link, { label: 'unknown', dstIp: outside }), 1, 'not called a flood');
  assert.equal(alertsBeside(link, { tier: 'anomaly', label: 'anomaly', dstIp: outside }), 1);
  assert.equal(alertsBeside(link, { label: 'flood', dstIp: inside }), 1, 'an inside target');
  assert.equal(alertsBeside(link, { label: 'flood', dstIp: outside, spoofable: false }), 1, 'owns its address');
});

test('a finding that agrees with a signature does not wait', () => {
  const { correlator, updates } = run();
  correlator.push(behaviour({ tier: 'signature', gid: 1, category: 'Attempted recon', label: 'recon' }));
  correlator.push(model({ atMs: 5, label: 'port_scan' }));
  assert.deepEqual(updates.at(-1)!.alert.tiers.length, 2);
});

test('what goes on is told again after a while, however little it grew', () => {
  const { correlator, updates } = run();
  for (const atMs of [0, 1500, 12_000, 24_000]) correlator.push(behaviour({ atMs }));
  assert.deepEqual(
    updates.map((u) => u.alert.count),
    [1, 2, 3, 4],
  );
  const quick = run();
  for (const atMs of [0, 1500, 3000]) quick.correlator.push(behaviour({ atMs }));
  assert.equal(quick.updates.length, 2, 'the third within ten seconds is not worth an update');
});

test('what waits is bounded, and more of one source are counted as repetitions', () => {
  const { correlator, updates } = run({ maxOffenders: 16 });
  for (let i = 0; i < 20; i++) correlator.push(model({ atMs: i }));
  for (let i = 0; i < 40; i++) correlator.push(model({ atMs: 20, offender: `198.51.100.${i}`, dstIp: `10.0.1.${i}` }));
  assert.equal(updates.filter((u) => u.isNew).length, 25, 'fifteen more sources may wait, the others do not');
  correlator.tick(MS + 5000);
  assert.equal(updates.filter((u) => u.isNew).length, 41);
  correlator.tick(MS + 7000);
  const own = updates.filter((u) => u.alert.offender === '192.0.2.1').at(-1)!;
  assert.equal(own.alert.count, 20);
});

test('ever other unproved sources at one target that only a model flags are sixteen alerts and one about the target', () => {
  const { correlator, updates } = run();
  const from = (n: number, change: Parameters<typeof model>[0] = {}): Detection => {
    const ip = `198.51.100.${n}`;
    return model({ atMs: 50 * n, label: 'flood', title: 'Flood', offender: ip, srcIp: ip, ...change });
  };
  for (let n = 1; n <= 200; n++) correlator.push(from(n));
  correlator.tick(MS + 30_000);
  const alerts = new Map(updates.map(({ alert }) => [alert.key, alert]));
  assert.equal(alerts.size, 17);
  const crowd = alerts.get('target 10.0.0.1 flood')!;
  assert.deepEqual([crowd.victim, crowd.noBlock], ['10.0.0.1', true]);
  assert.ok(crowd.count > 100, `${crowd.count} when it was told last`);
  assert.ok([...alerts.values()].every((a) => a === crowd || (a.count === 1 && !a.noBlock)));
  correlator.push(from(201, { atMs: 32_000, spoofable: false }));
  correlator.push(from(202, { atMs: 32_000, dstIp: '10.0.0.2' }));
  correlator.push(from(3, { atMs: 32_000 }));
  correlator.tick(MS + 40_000);
  const later = new Map(updates.map(({ alert }) => [alert.key, alert]));
  assert.equal(later.size, 19, 'a proved source, and one of another target, stand alone');
  assert.equal(later.get('198.51.100.3 flood')!.count, 2, 'one that has an alert keeps it');
});

test('amplifiers that seem to scan belong to the flood of their target; a scan from such a port without a flood stands', () => {
  const { correlator, titles } = run();
  const scan = (ip: string, atMs: number, change: Partial<Detection> = {}): Detection =>
    behaviour({ atMs, offender: ip, srcIp: ip, metadata: { unasked_answers: ['NTP'] }, ...change });
  correlator.push(scan('198.51.100.1', 0));
  const flood = { label: 'amplification', title: 'Amplification', noBlock: true, metadata: { scope: ['target'] } };
  correlator.push(behaviour({ atMs: 10, ...flood }));
  correlator.push(scan('198.51.100.2', 1000));
  correlator.push(scan('198.51.100.3', 1000, { dstIp: '10.0.0.9' }));
  correlator.push(scan('198.51.100.4', 1000, { metadata: {} }));
  correlator.push(scan('198.51.100.5', 200_000));
  correlator.tick(MS + 210_000);
  assert.deepEqual(
    titles().map((t) => t.split(' ')[0]),
    ['198.51.100.1', '192.0.2.1', '198.51.100.3', '198.51.100.4', '198.51.100.5'],
  );
});
