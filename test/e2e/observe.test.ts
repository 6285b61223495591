import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Decision } from '../../src/domain/decision.js';
import { Box } from '../lab/box/box.js';
import { siemLine } from '../lab/box/cef.js';
import { connects, kernelElement } from '../lab/box/kernel.js';
import { SshSession } from '../lab/box/ssh-session.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ADDRESS } from '../lab/topology.js';
import { scanPolicy, startConnectScan } from './support.js';

const SCANNER = ADDRESS.attacker.ip4;
let lab: Lab;
let box: Box;

before(async () => {
  lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
  box = await Box.start(lab, { mode: 'observe', policies: scanPolicy('10m') });
  await box.login();
});
after(() => lab?.close());

test('in observe mode a scan is seen, nothing is blocked, and the console and the SIEM say what would have been', async () => {
  const feed = await box.api.live(['alerts', 'decisions']);
  const { attacker, victim, router } = lab.hosts;
  const session = await SshSession.open(attacker, SCANNER, victim.ip4);
  await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-500', victim.ip4]);
  await feed.waitFor('alert', (m) => m.topic === 'alerts' && m.data?.['offender'] === SCANNER);
  const made = await feed.waitFor('decision', (m) => m.topic === 'decisions' && m.data?.['value'] === SCANNER);
  assert.equal(made.data?.['simulated'], true);
  assert.equal(made.data?.['action'], 'block');
  await siemLine(lab, 'what would have been', new RegExp(`${SCANNER}\\b`), /simulated|would/i);
  for (const set of ['block4_32', 'slow4_32']) assert.equal(await kernelElement(router, set, SCANNER), undefined);
  assert.ok(await connects(attacker, SCANNER, victim.ip4, 80));
  assert.ok(await session.lives());
  const { body } = await box.api.ask<{ mode: string; decisions: { active: number; simulated: number } }>(
    'GET',
    '/status',
  );
  assert.equal(body.mode, 'observe');
  assert.ok(body.decisions.simulated >= 1);
  feed.close();
});

test('after the change to enforce the same behaviour is blocked', async () => {
  const changed = await box.api.ask('PUT', '/mode', { mode: 'enforce' });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  const { router } = lab.hosts;
  const second = '10.77.66.11';
  const feed = await box.api.live(['decisions']);
  const scan = await startConnectScan(box, second);
  const applied = (m: { data?: Partial<Decision> }) => m.data?.value === second && m.data.enforcement === 'applied';
  await feed.waitFor('applied block', (m) => m.topic === 'decisions' && applied(m));
  await scan.stop();
  assert.match((await kernelElement(router, 'block4_32', second)) ?? 'no element', /timeout/);
  feed.close();
});
