import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Decision } from '../../src/domain/decision.js';
import { ATTACKERS, FleetLab } from '../lab/fleet/fleet-lab.js';
import type { Probe } from '../lab/fleet/probe.js';
import { waitFor } from '../lab/wait.js';
import { scanPolicy } from './support.js';

const [FIRST = '', FORGED = '', PROVED = '', DARK = '', ALONE = ''] = ATTACKERS;
const CONVERGE_MS = 5000;
let lab: FleetLab;
let probe: Probe;

before(async () => {
  lab = await FleetLab.open({ boxes: 3, servers: 2, nodes: 3, policies: scanPolicy('10m') });
  probe = await lab.probe();
});
after(async () => {
  await probe?.close().catch(() => undefined);
  await lab?.close();
});

const everywhere = (ip: string, limitMs = 15_000): Promise<unknown> =>
  Promise.all(lab.boxes.map((_, box) => lab.untilBlocked(box, ip, limitMs)));
const alertsOf = async (server: number, ip: string): Promise<{ offender: string; sensor: string }[]> =>
  (await lab.servers[server]!.api.get<{ items: { offender: string; sensor: string }[] }>('/alerts')).items.filter(
    (alert) => alert.offender === ip,
  );

test('an attack that one box sees is blocked in the kernels of all, and both servers know it', async () => {
  await lab.attack(FIRST);
  await everywhere(FIRST);
  const told = await waitFor('every box has reported', () => {
    const id = probe.said.flatMap((s) =>
      s.state === 'active' && s.decision.value === FIRST ? [s.decision.id] : [],
    )[0];
    const reports = probe.reports.filter((r) => r.report.decisionId === id && r.report.enforcement === 'applied');
    return new Set(reports.map((r) => r.member)).size === 3 ? reports : undefined;
  });
  assert.ok(told.every(({ report }) => !report.simulated));
  for (const server of [0, 1]) {
    // Streams, consumers and leases are made at this very first start.
    const alert = await waitFor('the alert', async () => (await alertsOf(server, FIRST))[0], { limitMs: 45_000 });
    assert.equal(alert.sensor, 'box1');
    const { items } = await lab.servers[server]!.api.get<{ items: Decision[] }>('/decisions?state=active');
    assert.equal(items.filter((d) => d.value === FIRST).length, 1, 'one decision, of the box that saw it');
  }
  assert.ok(['server1', 'server2'].includes((await lab.fleet()).scheduler ?? ''));
  await waitFor('the heartbeats of all boxes say that one is in force', async () => {
    const { members } = await lab.fleet();
    return members.filter((m) => m.role === 'box').every((m) => m.responder.enforced === 1);
  });
});

test('what nobody has signed, or the guards refuse, reaches no kernel; the same with a good signature does', async () => {
  await probe.put(probe.statement(FORGED, { forged: true }));
  await probe.put(probe.statement('10.78.0.11'));
  await probe.put(probe.statement(PROVED));
  await everywhere(PROVED);
  for (const box of [0, 1, 2]) {
    assert.equal(await lab.isBlocked(box, FORGED), false);
    assert.equal(await lab.isBlocked(box, '10.78.0.11'), false, 'a NATS server is protected');
  }
  await waitFor('the refusals are counted', async () =>
    (await lab.fleet()).members.filter((m) => m.role === 'box').every((m) => m.decisions.refused > 0),
  );
});

test('with a server, a NATS node and the database killed and a box cut off, the others go on, and all agree after', async () => {
  lab.partition(2, true);
  await Promise.all([lab.servers[0]!.daemon.kill(), lab.nodes[1]!.kill(), lab.mariaDb.kill()]);
  await lab.attack(DARK);
  await lab.untilBlocked(1, DARK);
  assert.equal(await lab.isBlocked(2, DARK), false, 'the control: it is cut off');
  await lab.mariaDb.start();
  lab.nodes[1]!.start();
  lab.servers[0]!.daemon.start();
  lab.partition(2, false);
  await lab.untilBlocked(2, DARK, CONVERGE_MS);
  await waitFor('the alert is stored', async () => (await alertsOf(1, DARK).catch(() => [])).length > 0, {
    limitMs: 20_000,
    everyMs: 100,
  });
});

test('a box that is cut off blocks by itself, and the others follow when it is back', async () => {
  lab.partition(0, true);
  await lab.attack(ALONE);
  assert.equal(await lab.isBlocked(1, ALONE), false, 'the control: it is cut off');
  lab.partition(0, false);
  await Promise.all([1, 2].map((box) => lab.untilBlocked(box, ALONE, CONVERGE_MS)));
  await lab.whole();
});
