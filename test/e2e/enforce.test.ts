import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Decision } from '../../src/domain/decision.js';
import { Box } from '../lab/box/box.js';
import { siemLine, siemLines } from '../lab/box/cef.js';
import { connects, isShut, kernelElement } from '../lab/box/kernel.js';
import { SshSession } from '../lab/box/ssh-session.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES, CLIENT_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { writeTimedRun } from '../../src/enforce/index.js';
import { scanPolicy, startConnectScan, untilBlocked } from './support.js';

/** Long enough for what is looked at while the block stands. */
const BLOCK_SECS = 20;
const [SCANNER = '', STEALTHY = '', UNPROVEN = '', BYSTANDER = '', MANUAL = ''] = ATTACKER_ADDRESSES;
const [CLIENT = ''] = CLIENT_ADDRESSES;

let lab: Lab;
let box: Box;

before(async () => {
  lab = await openLab({ services: ['web', 'ssh', 'dns', 'syslog'] });
  // A scanner that comes back right after its short block is to be reported again.
  const config = { detect: { behaviour: { realert_secs: 5 } }, enforce: { canary_result: canaryResult() } };
  box = await Box.start(lab, { mode: 'enforce', policies: scanPolicy(`${BLOCK_SECS}s`), config });
  await box.login();
});
after(() => lab?.close());

/** Where the canary of the system's timer would leave what it has shown. */
const canaryResult = (): string => join(lab.dir, 'canary.json');
const element = (address: string, set = 'block4_32') => kernelElement(lab.hosts.router, set, address);
const hostOf = (from: string) => (from.startsWith('10.77.20.') ? lab.hosts.client : lab.hosts.attacker);
const reachesWeb = (from: string) => connects(hostOf(from), from, lab.hosts.victim.ip4, 80);
const isShutOut = (from: string) => isShut(hostOf(from), from, lab.hosts.victim.ip4, 80);
const nmap = (flag: string, from: string) => {
  const source = ['-S', from, '-e', 'eth0', '-n', '-Pn', '-T4', '-p', '1-500'];
  return lab.hosts.attacker.start('nmap', [flag, ...source, lab.hosts.victim.ip4], { limitSecs: 120 });
};
const decisionsOf = async (address: string) =>
  (await box.api.get<{ items: Decision[] }>(`/decisions?state=all&q=${encodeURIComponent(`ip:${address}`)}`)).items;

test('a connect scan is an alert, the kernel stops the scanner and its open session, others go on', async () => {
  const feed = await box.api.live(['alerts', 'decisions']);
  const victim = lab.hosts.victim.ip4;
  const session = await SshSession.open(lab.hosts.attacker, SCANNER, victim);
  const innocent = await SshSession.open(lab.hosts.client, CLIENT, victim);
  // The controls: every check below holds the other way round before the scan.
  assert.equal(await element(SCANNER), undefined);
  assert.ok(await reachesWeb(SCANNER));
  assert.ok(await session.lives());

  const scan = nmap('-sT', SCANNER);
  const alert = await feed.waitFor('alert', (m) => m.topic === 'alerts' && m.data?.['offender'] === SCANNER);
  assert.equal(alert.data?.['label'], 'port_scan');
  const applied = await feed.waitFor(
    'applied decision',
    (m) => m.topic === 'decisions' && m.data?.['value'] === SCANNER && m.data['enforcement'] === 'applied',
  );
  assert.equal(applied.data?.['action'], 'block');
  assert.equal(applied.data?.['simulated'], false);
  assert.match((await element(SCANNER)) ?? 'no element', /timeout/);
  assert.ok(await isShutOut(SCANNER), 'the scanner still reaches the web server');
  assert.ok(await session.dies(), 'the established session of the scanner still lives');
  assert.ok(await innocent.lives(), 'the client lost its session');
  assert.ok(await reachesWeb(CLIENT));
  assert.ok(await reachesWeb(BYSTANDER), 'a neighbour of the scanner was blocked');
  await scan.stop();
  feed.close();
});

test('the SIEM has the alert and the block, and when the block ends by itself it is told, and the scanner is let in', async () => {
  await siemLine(lab, 'the alert', /CEF:0\|/, new RegExp(`src=${SCANNER}\\b`), /port.?scan/i);
  await siemLine(lab, 'the block', /\|decision:block\|/, new RegExp(` src=${SCANNER} `), / outcome=success /);
  await waitFor('the kernel has let go', async () => (await element(SCANNER)) === undefined, {
    limitMs: (BLOCK_SECS + 60) * 1000,
  });
  await siemLine(lab, 'the unblock', /\|decision:unblock\|/, new RegExp(` src=${SCANNER} `));
  await waitFor('the decision is expired', async () =>
    (await decisionsOf(SCANNER)).some((d) => d.enforcement === 'expired'),
  );
  assert.ok(await reachesWeb(SCANNER));
});

test('who comes back scanning is blocked again, for longer', async () => {
  // Other ports: a failure that was counted a moment ago is not counted again.
  const scan = await startConnectScan(box, SCANNER, '501-1000');
  await untilBlocked(box, SCANNER);
  const again = (await decisionsOf(SCANNER)).find((d) => d.enforcement === 'applied');
  assert.equal(again?.durationSecs, 600);
  await scan.stop();
});

test('a SYN scan of somebody who logged in before is blocked; one that never proved its address is slowed down', async () => {
  const proof = await SshSession.open(lab.hosts.attacker, STEALTHY, lab.hosts.victim.ip4);
  const proven = nmap('-sS', STEALTHY);
  await untilBlocked(box, STEALTHY);
  await proven.stop();
  assert.ok(await proof.dies());
  const unproven = nmap('-sS', UNPROVEN);
  await waitFor('slowed down', () => element(UNPROVEN, 'slow4_32'));
  await unproven.stop();
  assert.equal(await element(UNPROVEN), undefined);
});

test('a scan over IPv6 is stopped as well', async () => {
  const { ip6 } = lab.hosts.attacker;
  assert.ok(await connects(lab.hosts.attacker, ip6, lab.hosts.victim.ip6, 80));
  const args = ['-6', '-sT', '-n', '-Pn', '-T4', '-p', '1-500', lab.hosts.victim.ip6];
  const scan = lab.hosts.attacker.start('nmap', args, { limitSecs: 120 });
  await untilBlocked(box, ip6);
  await scan.stop();
  assert.ok(await isShut(lab.hosts.attacker, ip6, lab.hosts.victim.ip6, 80));
});

test('a scan with a forged source gets nobody blocked', async () => {
  const forged = '10.77.66.240';
  const args = ['-q', '-c', '400', '-i', 'u2000', '-S', '-p', '++1', '-a', forged, lab.hosts.victim.ip4];
  await lab.hosts.attacker.run('hping3', args);
  const alerts = () =>
    box.api.get<{ items: { offender: string }[] }>(`/alerts?q=${encodeURIComponent(`ip:${forged}`)}`);
  await waitFor('it was noticed', async () => (await alerts()).items.length > 0);
  assert.equal(await element(forged), undefined);
  assert.deepEqual(
    (await decisionsOf(forged)).filter((d) => d.action === 'block'),
    [],
  );
});

test('an operator blocks and releases by the API, and the kernel and the SIEM follow', async () => {
  const made = await box.api.ask<Decision>('POST', '/decisions', {
    value: MANUAL,
    durationSecs: 600,
    reason: 'by hand',
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await waitFor('in the kernel', () => element(MANUAL));
  assert.ok(await isShutOut(MANUAL));
  const released = await box.api.ask('DELETE', `/decisions/${made.body.id}`, { reason: 'a mistake' });
  assert.equal(released.status, 200, JSON.stringify(released.body));
  await waitFor('out of the kernel', async () => (await element(MANUAL)) === undefined);
  assert.ok(await reachesWeb(MANUAL));
  await siemLine(lab, 'the release', /\|decision:unblock\|/, new RegExp(` src=${MANUAL} `));
});

test('the box itself, its SIEM and its gateway cannot be blocked', async () => {
  for (const value of [lab.hosts.router.ip4, lab.hosts.siem.ip4, lab.hosts.switch.ip4]) {
    const made = await box.api.ask<Decision & { code?: string }>('POST', '/decisions', {
      value,
      durationSecs: 60,
      reason: 'try',
    });
    assert.notEqual(made.status, 201, `${value} was accepted`);
    assert.equal(await element(value), undefined);
  }
});

test('a name on the allowlist is what DNS says it is, in the kernel and for decisions, until the entry goes', async () => {
  const { ip4 } = lab.hosts.victim;
  const isAllowed = async () => (await element(ip4, 'allow4_32')) !== undefined;
  assert.equal(await isAllowed(), false, 'the control');
  const made = await box.api.ask<{ id: string }>('POST', '/allowlist', { value: 'www.lab.example', comment: 'ours' });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  await waitFor('the kernel lets its address pass', isAllowed);
  // The server asks DNS for itself.
  const block = { value: ip4, durationSecs: 60, reason: 'try' };
  await waitFor(
    'a block of it is refused',
    async () => (await box.api.ask('POST', '/decisions', block)).status !== 201,
  );
  assert.equal((await box.api.ask('DELETE', `/allowlist/${made.body.id}`, { reason: 'over' })).status, 204);
  await waitFor('the kernel has forgotten it', async () => !(await isAllowed()));
});

test('a canary that fails is a critical line in the SIEM and a problem of the box; one that holds is neither', async () => {
  const step = { name: 'the same probe is dropped and counted', ms: 1000 };
  const told = / outcome=failed .*msg=A test block did not hold: the same probe is dropped/;
  const canaryOf = async () => (await box.api.get<{ canary: { ok: boolean | null } }>('/status')).canary.ok;
  writeTimedRun(canaryResult(), Date.now(), {
    ok: true,
    place: 'namespace',
    steps: [{ ...step, ok: true, detail: '' }],
  });
  await waitFor('the outcome of the good run', async () => (await canaryOf()) === true);
  assert.equal(
    siemLines(lab).some((line) => told.test(line)),
    false,
    'the control',
  );
  const failed = { ...step, ok: false, detail: 'the probe arrived' };
  writeTimedRun(canaryResult(), Date.now(), { ok: false, place: 'namespace', steps: [failed] });
  const line = await siemLine(lab, 'the failed canary', told);
  assert.match(line, /CEF:0\|Portcullis\|Portcullis\|[^|]*\|health:[^|]*\|[^|]*\|10\|/);
  assert.equal(await canaryOf(), false);
  const { problems } = await box.api.get<{ problems: { code: string; severity: string }[] }>('/status');
  assert.equal(problems.find((p) => p.code === 'enforce.canary_failed')?.severity, 'critical');
});

test('every line in the SIEM is one CEF record whose times are whole milliseconds', () => {
  const lines = siemLines(lab);
  assert.ok(lines.length > 10);
  for (const line of lines) {
    assert.match(
      line,
      /^<\d+>1 \S+ router portcullis \d+ \w+ \[meta sequenceId="\d+"\] CEF:0\|Portcullis\|Portcullis\|/,
    );
    assert.match(line, / ?rt=\d{13} /);
    assert.doesNotMatch(line, / (start|end)=\d+\.\d/);
  }
});

test('the client was never the subject of anything', async () => {
  assert.deepEqual(await decisionsOf(CLIENT), []);
  assert.deepEqual(
    siemLines(lab).filter((line) => line.includes(`src=${CLIENT} `)),
    [],
  );
});
