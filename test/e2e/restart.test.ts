import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Decision } from '../../src/domain/decision.js';
import { Box } from '../lab/box/box.js';
import { connects, kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { scanPolicy, startConnectScan, untilBlocked } from './support.js';

const [FIRST = '', ...OTHERS] = ATTACKER_ADDRESSES;
let lab: Lab;
let box: Box;

before(async () => {
  lab = await openLab({ services: ['web', 'syslog'] });
  box = await Box.start(lab, { mode: 'enforce', policies: scanPolicy('10m') });
  await box.login();
});
after(() => lab?.close());

const element = (address: string) => kernelElement(lab.hosts.router, 'block4_32', address);
const activeDecisions = async () => (await box.api.get<{ items: Decision[] }>('/decisions?state=active')).items;

/** Both daemons are connected, and the sensor has said so since. */
async function isConnected(sinceMs: number): Promise<boolean> {
  const { sensors, responder } = await box.api.get<{
    sensors: { connected: boolean; lastSeenMs: number }[];
    responder: { connected: boolean };
  }>('/status');
  return responder.connected && sensors.some((sensor) => sensor.connected && sensor.lastSeenMs > sinceMs);
}

async function scanIsBlocked(source: string): Promise<void> {
  const scan = await startConnectScan(box, source);
  await untilBlocked(box, source, 15_000);
  await scan.stop();
}

test('a restart keeps blocks, decisions, alerts and accounts', async () => {
  await scanIsBlocked(FIRST);
  const before = await activeDecisions();
  assert.equal(before.length, 1);
  const alerts = async () => (await box.api.get<{ items: { id: string }[] }>('/alerts')).items.map((a) => a.id);
  const alertsBefore = await alerts();
  await box.process.stop('SIGTERM');
  assert.match((await element(FIRST)) ?? 'no element', /timeout/, 'the block outlives the daemons');
  assert.equal(await connects(lab.hosts.attacker, FIRST, lab.hosts.victim.ip4, 80), false);
  await box.restart();
  await box.login();
  assert.match((await element(FIRST)) ?? 'no element', /timeout/);
  assert.deepEqual(
    (await activeDecisions()).map(({ id, value }) => ({ id, value })),
    before.map(({ id, value }) => ({ id, value })),
  );
  assert.deepEqual(await alerts(), alertsBefore);
});

for (const [i, daemon] of (['sensor', 'responder', 'server'] as const).entries()) {
  test(`a killed ${daemon} is started again, blocks hold meanwhile, and the next scan is blocked`, async () => {
    const pid = await box.pidOf(daemon);
    const captures = () => box.process.stdout.split('Capture started.').length;
    const [before, killedMs] = [captures(), Date.now()];
    process.kill(pid, 'SIGKILL');
    assert.match((await element(FIRST)) ?? 'no element', /timeout/);
    const isReplaced = async () => (await box.pidOf(daemon).catch(() => pid)) !== pid;
    await waitFor(`a new ${daemon}`, isReplaced, { limitMs: 20_000, everyMs: 100 });
    if (daemon === 'sensor') await waitFor('capture runs again', () => captures() > before, { limitMs: 20_000 });
    await box.ready();
    await box.login();
    await waitFor('sensor and responder are connected', () => isConnected(killedMs), { limitMs: 20_000, everyMs: 100 });
    await scanIsBlocked(OTHERS[i] ?? '');
    assert.ok(
      (await activeDecisions()).some((d) => d.value === FIRST),
      'the first decision was lost',
    );
  });
}
