import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Decision } from '../../src/domain/decision.js';
import { CHAOS_ATTACKERS, runChaos } from '../lab/fleet/chaos.js';
import { FleetLab } from '../lab/fleet/fleet-lab.js';
import { ATTACKERS } from '../lab/fleet/net.js';
import type { Probe } from '../lab/fleet/probe.js';
import { waitFor } from '../lab/wait.js';
import { scanPolicy } from './support.js';

const [FIRST = '', FORGED = '', PROVED = '', DARK = '', ALONE = '', FRIEND = ''] = ATTACKERS;
/** Measures the way to all kernels: PORTCULLIS_FLEET_ATTACKS=40 npm test -- e2e/fleet */
const ATTACKS = Number(process.env['PORTCULLIS_FLEET_ATTACKS'] ?? 0);
/** The long form: PORTCULLIS_FLEET_ROUNDS=100 PORTCULLIS_FLEET_SEED=7 npm test -- e2e/fleet */
const ROUNDS = Number(process.env['PORTCULLIS_FLEET_ROUNDS'] ?? 2);
const SEED = Number(process.env['PORTCULLIS_FLEET_SEED'] ?? 1);
/** Of one kind only: PORTCULLIS_FLEET_FAULT="box2's server" */
const FAULT = process.env['PORTCULLIS_FLEET_FAULT'] ?? '';
/** Longest time that a fault lasts: minutes, to see what waits and comes back. */
const FAULT_MS = Number(process.env['PORTCULLIS_FLEET_FAULT_SECS'] ?? (ROUNDS > 10 ? 5 : 0.5)) * 1000;
/** The aim is 5 s on a machine with time (docs/operations/fleet.md has what was measured); here two cores run a fleet and other tests. */
const CONVERGE_MS = 120_000;
/** A NATS server, the machine of the servers, a box to the others, and the outer address of box 1. */
const MEMBERS = ['10.78.0.11', '10.78.0.1', '10.78.0.102', '203.0.113.1'];
/** The packet of an exploit does not pass an inline box; nobody is blocked for it. */
const EXPLOIT = `
format: 1
name: exploit
description: The packet of an exploit does not pass.
when: { tiers: [signature], min_severity: medium }
outcome: monitor
inline: { verdict: drop }
`;
const SHELLSHOCK = ['X-Test: () { :; }; /bin/id'];
let lab: FleetLab;
let probe: Probe;

before(async () => {
  lab = await FleetLab.open({
    boxes: 3,
    servers: 2,
    nodes: 3,
    policies: { ...scanPolicy('2h'), 'exploit.yaml': EXPLOIT },
  });
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
    const alert = await waitFor('the alert', async () => (await alertsOf(server, FIRST))[0]);
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

const skipMeasuring = ATTACKS === 0 && 'a measurement, made when PORTCULLIS_FLEET_ATTACKS says of how many';
test('p95 from the packet to the kernels of all is at most 100 ms', { skip: skipMeasuring }, async (t) => {
  const lagsMs: number[] = [];
  const ownMs: number[] = [];
  for (const ip of CHAOS_ATTACKERS.slice(-ATTACKS)) {
    await lab.attack(ip);
    const lags = await waitFor('every box has reported', () => lagsOf(ip));
    lagsMs.push(Math.max(...lags.values()));
    ownMs.push(lags.get('box1')!);
  }
  const at = (list: number[], part: number): string =>
    [...list].sort((a, b) => a - b)[Math.ceil(list.length * part) - 1]!.toFixed(1);
  t.diagnostic(`${ATTACKS} attacks, the last of three kernels: p50 ${at(lagsMs, 0.5)} ms, p95 ${at(lagsMs, 0.95)} ms`);
  t.diagnostic(`its own kernel: p50 ${at(ownMs, 0.5)} ms, p95 ${at(ownMs, 0.95)} ms`);
  assert.ok(Number(at(lagsMs, 0.95)) <= 100);
});

/** Milliseconds from the packet that box 1 saw to each box's kernel; undefined until all have reported. */
function lagsOf(ip: string): Map<string, number> | undefined {
  const decision = probe.said.flatMap((s) => (s.state === 'active' && s.decision.value === ip ? [s.decision] : []))[0];
  const lags = new Map<string, number>();
  for (const { member, report } of probe.reports) {
    if (report.decisionId !== decision?.id || report.enforcement !== 'applied') continue;
    lags.set(member, (report.kernelUs - decision.trace.packetUs) / 1000);
  }
  return lags.size === 3 ? lags : undefined;
}

test('what nobody has signed, or the guards refuse, reaches no kernel; the same with a good signature does', async () => {
  await probe.put(probe.statement(FORGED, { forged: true }));
  for (const value of MEMBERS) await probe.put(probe.statement(value));
  await probe.put(probe.statement(PROVED));
  await everywhere(PROVED);
  for (const box of [0, 1, 2]) {
    assert.equal(await lab.isBlocked(box, FORGED), false);
    for (const value of MEMBERS) assert.equal(await lab.isBlocked(box, value), false, `${value} is protected`);
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
    everyMs: 100,
  });
});

test('a box that is cut off blocks and judges inline by itself, and the others follow when it is back', async () => {
  assert.equal(await lab.web.get('/?before', SHELLSHOCK), '200', 'the control: without the inline daemon it passes');
  const inline = lab.inline();
  await inline.process.waitForOutput(/"enforce","msg":"The mode of inline verdicts is set/, 120_000);
  await exploitIsStopped('member');
  const farewells = (): number => lab.boxes[0]!.daemons.server.process.output.split('goes on by itself').length;
  const before = farewells();
  lab.partition(0, true);
  await lab.attack(ALONE);
  await waitFor('it knows that it is alone', () => farewells() > before);
  await exploitIsStopped('alone');
  assert.equal(await lab.isBlocked(1, ALONE), false, 'the control: it is cut off');
  lab.partition(0, false);
  await Promise.all([1, 2].map((box) => lab.untilBlocked(box, ALONE, CONVERGE_MS)));
  await inline.process.stop('SIGTERM');
  await lab.whole();
});

/** What asks the web server of box 1 gets there, but for the exploit. */
async function exploitIsStopped(when: string): Promise<void> {
  assert.equal(await lab.web.get(`/?${when}-first`), '200');
  assert.equal(await lab.web.get(`/?${when}-exploit`, SHELLSHOCK, 2), '000');
  assert.equal(await lab.web.get(`/?${when}-last`), '200');
  await waitFor('the log is written', () => lab.web.log().includes(`${when}-last`));
  assert.match(lab.web.log(), new RegExp(`${when}-first`));
  assert.doesNotMatch(lab.web.log(), new RegExp(`${when}-exploit`));
}

test('an address that is allowed at a server is lifted on every box and not blocked there again; a pause reaches them too', async () => {
  await lab.attack(FRIEND);
  await everywhere(FRIEND);
  const added = await lab.servers[1]!.api.ask('POST', '/allowlist', { value: FRIEND, comment: 'a customer' });
  assert.equal(added.status, 201);
  const inSet = async (box: number): Promise<boolean> =>
    (await lab.boxes[box]!.run('nft', ['get', 'element', 'inet', 'portcullis', 'allow4_32', `{ ${FRIEND} }`]).ended)
      .code === 0;
  for (const box of [0, 1, 2]) {
    await waitFor(`box${box + 1} allows it`, () => inSet(box), { limitMs: CONVERGE_MS, everyMs: 50 });
    await waitFor(`box${box + 1} has lifted it`, async () => !(await lab.isBlocked(box, FRIEND)));
  }
  assert.equal(await lab.isBlocked(0, FIRST), true, 'the control: who is not allowed stays blocked');
  await lab.boxes[1]!.daemons.server.kill();
  lab.boxes[1]!.daemons.server.start();
  await lab.whole();
  assert.equal(await inSet(1), true, 'after a restart too');
  const isPaused = (name: string): boolean => lab.settingsOf(name).pausedUntilMs > Date.now();
  assert.equal((await lab.servers[0]!.api.ask('POST', '/pause', { secs: 600 })).status, 200);
  for (const { name } of lab.boxes) {
    await waitFor(`${name} is paused`, () => isPaused(name), { limitMs: CONVERGE_MS });
  }
  assert.equal((await lab.servers[1]!.api.ask('DELETE', '/pause')).status, 200);
  await waitFor('no box is paused', () => !lab.boxes.some(({ name }) => isPaused(name)), { limitMs: CONVERGE_MS });
});

test('a mode chosen at one server is that of the other within seconds', async () => {
  const modeOf = async (server: number): Promise<string> =>
    (await lab.servers[server]!.api.get<{ mode: string }>('/status')).mode;
  const before = await modeOf(1);
  for (const [server, mode] of [
    [0, 'suggest'],
    [1, before],
  ] as const) {
    assert.equal((await lab.servers[server]!.api.ask('PUT', '/mode', { mode })).status, 200);
    const isThere = async (): Promise<boolean> => (await modeOf(1 - server)) === mode;
    await waitFor(`the other server is in mode ${mode}`, isThere, { limitMs: CONVERGE_MS, everyMs: 100 });
  }
});

test('a policy saved at one server is in force on the other and on every box, and what is taken back is so everywhere', async () => {
  const digests = async (): Promise<string[]> => {
    const { members } = await lab.fleet();
    return [...new Set(members.filter((m) => m.alive).map((m) => m.policies?.digest ?? ''))];
  };
  const before = await waitFor('all decide alike', async () =>
    (await digests()).length === 1 ? digests() : undefined,
  );
  const yaml =
    'format: 1\nname: quiet\ndescription: alerts only\npriority: 1\noutcome: monitor\nwhen: { ports: [9] }\n';
  const saved = await lab.servers[1]!.api.ask('PUT', '/policies/quiet', { yaml, comment: 'a test' });
  assert.equal(saved.status, 200);
  const isEverywhere = async (): Promise<boolean> => {
    const now = await digests();
    return now.length === 1 && now[0] !== before[0];
  };
  await waitFor('all have it', isEverywhere, { limitMs: CONVERGE_MS });
  assert.equal((await lab.servers[0]!.api.get<{ source: string }>('/policies/quiet')).source, 'saved');
  // At the other server: what came from the fleet is taken back like what was saved there.
  assert.equal((await lab.servers[0]!.api.ask('DELETE', '/policies/quiet', { comment: 'over' })).status, 204);
  const isGone = async (): Promise<boolean> => (await digests()).join() === before.join();
  await waitFor('nobody has it', isGone, { limitMs: CONVERGE_MS });
});

test('whatever dies or is cut off at random, nothing protected is blocked and every acknowledged decision counts everywhere', async (t) => {
  const result = await runChaos(lab, probe, {
    rounds: ROUNDS,
    seed: SEED,
    only: FAULT,
    convergeMs: CONVERGE_MS,
    faultMs: FAULT_MS,
    attackers: [...CHAOS_ATTACKERS],
    say: (line) => t.diagnostic(line),
  });
  const worst = (of: 'agreedMs' | 'upMs' | 'convergeMs'): number =>
    Math.round(Math.max(...result.rounds.map((r) => r[of])));
  t.diagnostic(
    `at most: kernels agree ${worst('agreedMs')} ms after a fault, everybody is up after ${worst('upMs')} ms and agrees ${worst('convergeMs')} ms later`,
  );
  t.diagnostic(
    `${result.ledger.filter((a) => a.state !== 'unsure').length} acknowledged, ${result.attacked.length} attacks`,
  );
  for (const ip of result.attacked) {
    await waitFor(`the alert on ${ip} is stored`, async () => (await alertsOf(0, ip).catch(() => [])).length > 0, {
      everyMs: 200,
    });
  }
});
