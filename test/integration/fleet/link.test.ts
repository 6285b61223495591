import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { EnforcementReport } from '../../../src/domain/decision.js';
import type { Detection } from '../../../src/domain/detection.js';
import { aDecision } from '../../unit/fleet/support.js';
import { waitFor } from '../../lab/wait.js';
import { natsMissing, openLinkedFleet, type LinkedFleet, type LinkedMember } from './support.js';

const skip = natsMissing ?? false;
let fleet: LinkedFleet;
let server: LinkedMember;
let box: LinkedMember;

before(async () => {
  if (skip) return;
  fleet = openLinkedFleet(25_222);
  server = await fleet.member('server1');
  box = await fleet.member('box1');
});
after(() => fleet?.close());

const allow = (id: string, value: string) => ({ id, value, owner: 'anna', comment: 'x', createdMs: 1, expiresMs: 0 });
const applied = (decisionId: string): EnforcementReport => ({
  ...{ decisionId, enforcement: 'applied', simulated: false, receivedUs: 1, kernelUs: 2 },
});

test('what a server sets reaches a box, also one that was away, and what comes later too', { skip }, async () => {
  const protectedPeer = (): string | undefined => box.link.peers.others()[0]?.peer.value;
  server.link.peers.set([{ value: '192.0.2.9', reason: 'siem', detail: 'destination soc', expiresMs: 0 }]);
  server.link.settings.set({ allow: [allow('a', '192.0.2.1')], pausedUntilMs: 0 });
  await waitFor('the allowlist', () => box.link.settings.current()?.allow[0]?.value === '192.0.2.1');
  await waitFor('the SIEM', () => protectedPeer() === '192.0.2.9');
  assert.deepEqual(server.link.peers.others(), [], 'its own are not those of another');
  await box.close();
  server.link.settings.set({ allow: [allow('a', '192.0.2.1')], pausedUntilMs: 77 });
  box = await fleet.member('box1');
  assert.equal(box.link.settings.current()?.pausedUntilMs, 0, 'what it knew when it left');
  assert.equal(protectedPeer(), '192.0.2.9', 'what it knew when it left');
  await waitFor('the pause', () => box.settings.some((s) => s.pausedUntilMs === 77));
  server.link.peers.set([]);
  await waitFor('no SIEM any more', () => protectedPeer() === undefined);
  server.link.settings.set({ allow: [], pausedUntilMs: 78 });
  await waitFor('a later pause', () => box.settings.some((s) => s.pausedUntilMs === 78));
});

test('what a server sets while the bus is dead is said when it is back', { skip }, async () => {
  fleet.kill();
  await waitFor('both know', () => !server.link.status().connected && !box.link.status().connected);
  server.link.settings.set({ allow: [], pausedUntilMs: 99 });
  fleet.start();
  await waitFor('the pause', () => box.settings.some((s) => s.pausedUntilMs === 99));
});

test(
  'a policy saved at one server reaches the other and every box, the newer of two counts, and a box is listed by its addresses',
  { skip },
  async () => {
    const other = await fleet.member('server2');
    const text = (yaml: string | null) => ({ yaml, policyVersion: 1, actor: 'anna', comment: '', savedMs: 1 });
    server.link.policies.set('scan', text('one'));
    box.link.addresses.set(['192.0.2.7']);
    for (const { link } of [other, box]) {
      await waitFor('the policy', () => link.policies.get('scan')?.yaml === 'one');
    }
    await waitFor('the address', () => other.link.addresses.others()[0]?.address === '192.0.2.7');
    assert.deepEqual(box.link.addresses.others(), [], 'its own is not another member');
    // Both at once, each before it has heard of the other.
    server.link.policies.set('scan', text('two'));
    other.link.policies.set('scan', text(null));
    const texts = (): unknown[] => [server, other, box].map(({ link }) => link.policies.get('scan')?.yaml);
    await waitFor('all have the same', () => new Set(texts()).size === 1 && texts()[0] !== 'one');
    await other.close();
  },
);

test(
  'decisions, releases, detections and reports of a box that is cut off arrive when it is back, once each',
  { skip },
  async () => {
    fleet.kill();
    await waitFor('the box knows', () => !box.link.status().connected);
    const [kept, lifted] = [aDecision({ value: '198.51.100.1' }), aDecision({ value: '198.51.100.2' })];
    for (const decision of [kept, lifted]) {
      box.link.seal(decision);
      box.link.decided(decision);
    }
    box.link.released(lifted, 'anna', 'mistake', true);
    box.link.reports([applied(kept.id)]);
    fleet.start();
    await waitFor('the decision', () => server.adopted.some((d) => d.id === kept.id));
    await waitFor('the report', () => server.reports.length > 0);
    assert.deepEqual(
      server.reports.map((r) => r.decisionId),
      [kept.id],
    );
    assert.equal(
      server.adopted.some((d) => d.id === lifted.id),
      false,
      'only its release is left to say',
    );
    assert.equal(box.link.status().beat.spool.waiting, 0);
  },
);

const aDetection = (n: number): Detection => ({
  ...{ id: `d${n}`, tier: 'behaviour', signatureId: 1, gid: 2, rev: 1, label: 'port_scan', title: 'Port scan' },
  ...{ category: 'recon', severity: 'medium', score: 0.9, confidence: 0.8, spoofable: false, evidence: [] },
  ...{ offender: `203.0.113.${n % 200}`, packetUs: 1, detectedUs: 2, sensor: 'edge', srcPort: 1, dstPort: 22 },
  ...{ srcIp: `203.0.113.${n % 200}`, dstIp: '192.0.2.1', proto: 6 },
});

test('many detections and decisions at once arrive once each, also when the bus dies meanwhile', { skip }, async () => {
  const detections = Array.from({ length: 3000 }, (_, n) => aDetection(n));
  const decisions = Array.from({ length: 600 }, (_, n) => aDecision({ value: `198.51.${101 + (n >> 8)}.${n & 255}` }));
  const arrived = (): string[] => server.work.flatMap((w) => (w.type === 'detection' ? [w.detection.id] : []));
  const half = (from: number, to: number): void => {
    for (const detection of detections.slice(from * 3000, to * 3000)) box.link.detection(detection, undefined);
    for (const decision of decisions.slice(from * 600, to * 600)) {
      box.link.seal(decision);
      box.link.decided(decision);
    }
  };
  half(0, 0.5);
  await waitFor('the first', () => arrived().length > 0);
  fleet.kill();
  half(0.5, 1);
  fleet.start();
  await waitFor('all detections', () => new Set(arrived()).size === 3000);
  const adopted = (): string[] => server.adopted.map(({ id }) => id);
  await waitFor('all decisions', () => decisions.every(({ id }) => adopted().includes(id)));
  await waitFor('nothing waits', () => box.link.status().beat.decisions.waiting === 0);
  assert.equal(arrived().length, 3000, 'once each');
  assert.equal(new Set(adopted()).size, adopted().length);
});

test('a member that joins late gets everything in force, and what was lifted is not among it', { skip }, async () => {
  const late = await fleet.member('box2');
  const one = aDecision({ value: '198.51.100.9' });
  box.link.seal(one);
  box.link.decided(one);
  await waitFor('the new one', () => late.adopted.some((d) => d.id === one.id));
  await waitFor('the earlier one', () => late.adopted.some((d) => d.value === '198.51.100.1'));
  box.link.released(one, 'anna', 'mistake', true);
  await waitFor('the release', () => late.lifted.includes(one.id));
});

test(
  'what has ended on a member is not in force there after its restart, whatever its clock says',
  { skip },
  async () => {
    const [over, goesOn] = [aDecision({ value: '198.51.100.21' }), aDecision({ value: '198.51.100.22' })];
    const heard = (): string[] => box.link.inForce(Date.now()).map(({ id }) => id);
    for (const decision of [over, goesOn]) {
      server.link.seal(decision);
      server.link.decided(decision);
      await waitFor(decision.value, () => heard().includes(decision.id));
    }
    // The responder counts the time that passes; for the clock the decision has long to go.
    box.link.decided({ ...over, enforcement: 'expired' });
    assert.deepEqual([heard().includes(over.id), heard().includes(goesOn.id)], [false, true]);
    await box.close();
    box = await fleet.member('box1');
    await waitFor('the bus', () => box.link.status().connected);
    const later = aDecision({ value: '198.51.100.23' });
    server.link.seal(later);
    server.link.decided(later);
    await waitFor('what comes after the list', () => heard().includes(later.id));
    assert.deepEqual([heard().includes(over.id), heard().includes(goesOn.id)], [false, true]);
  },
);
