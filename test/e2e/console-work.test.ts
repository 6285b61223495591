import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test, { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { OPERATIONS, ROLES, roleAllows, type OperationId } from '../../src/contract/http.js';
import { ApiClient } from '../lab/box/api-client.js';
import { Box, MAIN, PASSWORD } from '../lab/box/box.js';
import { openBrowser } from '../lab/box/browser.js';
import { ConsoleTab, id } from '../lab/box/console.js';
import { kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ADDRESS } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';
import { scanPolicy } from './support.js';

const SCANNER = ADDRESS.attacker.ip4;
const USER_PASSWORD = 'another long one for the lab';

let lab: Lab;
let box: Box;
let browser: Browser;
let tab: ConsoleTab;

before(async () => {
  lab = await openLab({ services: ['web', 'syslog'] });
  // Suggest: what is found waits for a person, and the scan below is never in the way of the next one.
  box = await Box.start(lab, { mode: 'suggest', policies: scanPolicy('1m') });
  await box.login();
  browser = await openBrowser(lab, lab.hosts.router);
  tab = await ConsoleTab.open(browser);
  await tab.signIn('admin', PASSWORD);
  const { attacker, victim } = lab.hosts;
  await attacker.run('curl', ['-s', '-o', '/dev/null', '--max-time', '3', `http://${victim.ip4}/`]);
  await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-200', victim.ip4]);
  await waitFor('an alert', async () => {
    const { items } = await box.api.get<{ items: { offender: string }[] }>('/alerts');
    return items.some((a) => a.offender === SCANNER) || undefined;
  });
});
after(async () => {
  await browser?.close();
  await lab?.close();
});

const policyText = async () => (await box.api.get<{ yaml: string }>('/policies/scan')).yaml;

test('a policy is edited in the form, backtested, committed, not confirmed, and reverts by itself', async () => {
  const { page } = tab;
  await tab.go('/policies/scan?edit=form');
  assert.match(await policyText(), /labels: \[port_scan, host_sweep\]/);
  await page.fill(id('form-labels'), 'host_sweep');
  await page.locator(id('form-labels')).blur();
  await page.waitForSelector(`${id('policy-save')}:not([disabled])`);

  await page.click(id('backtest-start'));
  const result = page.locator(id('backtest-result'));
  await result.waitFor();
  const decisions = async (side: string) =>
    Number(
      await result
        .locator(`${id(`backtest-${side}`)} dd`)
        .first()
        .textContent(),
    );
  assert.ok((await decisions('active')) >= 1, 'the policy in force would have blocked the scanner');
  assert.equal(await decisions('candidate'), 0, 'the edited one would not');
  await page.locator(id('backtest-row'), { hasText: SCANNER }).first().waitFor();

  // The shortest time that the server takes instead of the shortest that the dialog offers.
  await page.route(
    '**/api/v1/policies/scan',
    async (route) => {
      const body = route.request().postDataJSON() as { confirmSecs: number };
      assert.equal(body.confirmSecs, 60);
      await route.continue({ postData: { ...body, confirmSecs: 10 } });
    },
    { times: 1 },
  );
  await page.click(id('policy-save'));
  await page.waitForSelector(id('policy-diff'));
  await page.click(id('confirm-secs-60'));
  await page.fill(id('policy-comment'), 'only the surest');
  await page.click(id('policy-save-confirm'));
  await page.waitForSelector(id('change-bar'));
  assert.match(await policyText(), /labels: \[host_sweep\]/, 'it counts at once');

  await page.waitForSelector(id('change-bar'), { state: 'detached', timeout: 120_000 });
  assert.match(await policyText(), /labels: \[port_scan, host_sweep\]/, 'nobody confirmed it');
  await waitFor(
    'the form shows it',
    async () => (await page.inputValue(id('form-labels'))) === 'port_scan, host_sweep' || undefined,
  );
});

test('the same change is kept when it is confirmed, and rolled back from the list of versions', async () => {
  const { page } = tab;
  await page.fill(id('form-confidence'), '0.9');
  await page.locator(id('form-confidence')).blur();
  await page.click(id('policy-save'));
  await page.fill(id('policy-comment'), 'surer');
  await page.click(id('policy-save-confirm'));
  await page.click(id('change-confirm'));
  await page.waitForSelector(id('change-bar'), { state: 'detached' });
  assert.match(await policyText(), /min_confidence: 0\.9/);
  await page.locator(id('policy-rollback')).last().click();
  await page.fill(id('policy-comment'), 'back to the first');
  await page.click(id('confirm-secs-0'));
  await page.click(id('policy-save-confirm'));
  await waitFor('rolled back', async () => /min_confidence: 0\.5/.test(await policyText()) || undefined);
});

test('the text editor offers keys of the schema and marks what the server objects to', async () => {
  const { page } = tab;
  await tab.go('/policies/scan');
  await page.locator(id('policy-editor')).click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\ncap');
  await page.locator('.cm-tooltip-autocomplete li', { hasText: 'caps' }).waitFor();
  await page.keyboard.type('tain: 1\n');
  await page.waitForSelector(id('policy-problems'));
  assert.ok(await page.isDisabled(id('policy-save')));
  await page.getByRole('button', { name: 'Discard changes' }).click();
  await page.waitForSelector(id('policy-problems'), { state: 'detached' });
});

test('an alert waits in the training queue, and a label given on it takes it out and is counted by the training', async () => {
  const { page } = tab;
  await tab.go('/models?tab=training');
  assert.match((await page.locator(id('new-labels')).first().textContent()) ?? '', /^0 new labels/);
  await tab.go('/models?tab=queue');
  const waiting = page.locator(id('queue-alert'), { hasText: SCANNER });
  const href = await waiting.first().locator('a[href^="/alerts/"]').getAttribute('href');
  await tab.go(href ?? '');
  // Not its message: the one of the test before may still be there.
  const labelled = page.waitForResponse((response) => response.url().endsWith('/label'));
  await page.click(id('label-true_positive'));
  assert.ok((await labelled).ok());
  await tab.go('/models?tab=queue');
  assert.equal(await page.locator(`${id('queue-alert')} a[href="${href}"]`).count(), 0, 'it is judged');
  await tab.go('/models?tab=training');
  await page
    .locator(id('new-labels'), { hasText: /^1 new label / })
    .first()
    .waitFor();
});

test('noise is suppressed from its alert, stops there, is counted, and may come back', async () => {
  const { page } = tab;
  const { items } = await box.api.get<{ items: { id: string; label: string }[] }>(`/alerts?q=ip:${SCANNER}`);
  const scan = items.find(({ label }) => label === 'port_scan');
  await tab.go(`/alerts/${scan?.id}`);
  await page.click(id('alert-suppress'));
  assert.equal(await page.inputValue(id('suppress-label')), 'port_scan');
  await page.fill(id('suppress-comment'), 'our own scanner');
  await page.click(id('suppress-submit'));
  await page.locator(id('suppress-dialog')).waitFor({ state: 'detached' });
  type Row = { hits: number; lastHitMs: number };
  const rows = async () => (await box.api.get<{ items: Row[] }>('/suppressions')).items;
  const { attacker, victim } = lab.hosts;
  const counted = async () => (await box.api.get<{ alert: { count: number } }>(`/alerts/${scan?.id}`)).alert.count;
  const before = await counted();
  await waitFor('the next scan is stopped', async () => {
    await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '300-700', victim.ip4]);
    return ((await rows())[0]?.hits ?? 0) > 0 || undefined;
  });
  assert.equal(await counted(), before, 'the alert does not grow');
  await tab.go('/rules?tab=suppressions');
  const row = page.locator(id('suppression-row'), { hasText: SCANNER });
  await row.waitFor();
  await page.click(id('suppression-remove'));
  await page.click(id('confirm-ok'));
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(await rows(), []);
});

test('a list is checked against what is protected, blocked in the kernel, released together, and blocked again by undo', async () => {
  const { page } = tab;
  const { items } = await box.api.get<{ items: { value: string }[] }>('/protected');
  const guarded = items.find(({ value }) => /^[\d.]+$/.test(value))?.value ?? '';
  const listed = ['198.51.100.1', '198.51.100.2'];
  const inKernel = () => Promise.all(listed.map((value) => kernelElement(lab.hosts.router, 'block4_32', value)));
  await tab.go('/blocks');
  await page.click(id('block-import'));
  await page.fill(id('import-values'), `${listed[0]}\n${listed[1]} # seen elsewhere\n${guarded}\nnonsense`);
  await page.fill(id('import-reason'), 'a list from a friend');
  await page.click(id('import-check'));
  await page.locator(id('import-conflict'), { hasText: guarded }).waitFor();
  assert.equal(await page.locator(id('import-conflict')).count(), 2);
  assert.deepEqual(await inKernel(), [undefined, undefined], 'the check does nothing');
  await page.click(id('import-submit'));
  await waitFor('both in the kernel', async () => (await inKernel()).every(Boolean) || undefined);

  await page.locator(id('block-row'), { hasText: listed[1] ?? '' }).waitFor();
  await page.click(id('select-all'));
  await page.click(id('bulk-release'));
  await page.click(id('confirm-ok'));
  await waitFor('both released', async () => (await inKernel()).every((e) => e === undefined) || undefined);
  await page.locator(id('toast-undo')).last().click();
  await waitFor('both again', async () => (await inKernel()).every(Boolean) || undefined);
  await page.locator(id('toast'), { hasText: 'made again' }).waitFor();
  const proposed = await kernelElement(lab.hosts.router, 'block4_32', SCANNER);
  assert.equal(proposed, undefined, 'what was only proposed is not made real');
});

test('the screen of the kernel shows each chain that looks at packets and how full our sets are', async () => {
  const { page } = tab;
  await tab.go('/system?tab=ruleset');
  await page.locator(id('chain-row')).first().waitFor();
  const { stdout } = await lab.hosts.router.run('nft', ['list', 'chains']);
  assert.equal(await page.locator(id('chain-row')).count(), stdout.match(/ hook /g)?.length);
  const set = await lab.hosts.router.run('nft', ['list', 'set', 'inet', 'portcullis', 'block4_32']);
  const held = set.stdout.match(/ expires /g)?.length ?? 0;
  assert.ok(held >= 2);
  const row = page.locator(id('set-row'), { hasText: 'block4_32' });
  assert.match((await row.textContent()) ?? '', new RegExp(`Blocked: source${held}1,000,000`));
});

test('a backup is made while everything runs, downloaded, whole, and removed', async () => {
  const { page } = tab;
  await tab.go('/system?tab=backup');
  await page.click(id('backup-make'));
  await page.locator(id('backup-row')).waitFor({ timeout: 120_000 });
  const download = page.waitForEvent('download');
  await page.click(id('backup-download'));
  const file = await (await download).path();
  const { stdout } = await lab.hosts.router.run(process.execPath, [
    ...[MAIN, 'restore', file, '--check', '--config', box.configFile],
  ]);
  assert.match(stdout, /is whole: router/);
  await page.click(id('backup-restore-open'));
  await page.locator(`${id('restore-check')}[data-state="whole"]`).waitFor({ timeout: 120_000 });
  assert.match(
    (await page.textContent(id('backup-restore'))) ?? '',
    /^portcullis restore .*backups\/portcullis-router-/m,
  );
  await page.keyboard.press('Escape');
  await page.locator(id('restore-dialog')).waitFor({ state: 'detached' });
  await page.click(id('backup-remove'));
  await page.click(id('confirm-ok'));
  await page.locator(id('backup-row')).waitFor({ state: 'detached' });
});

test('a capture is dropped into the offline lab, analysed, and looked into packet by packet', async () => {
  const { page } = tab;
  const file = `${lab.dir}/scan.pcap`;
  const { router, attacker, victim } = lab.hosts;
  const dump = router.start('tcpdump', ['-U', '--immediate-mode', '-Z', 'root', '-i', 'wan0', '-w', file, 'tcp']);
  await dump.waitForOutput(/listening/);
  await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-100', victim.ip4]);
  await waitFor('tcpdump has written what it saw', () => (readFileSync(file).length > 5000 ? true : undefined));
  await dump.stop();

  await tab.go('/lab');
  await page.setInputFiles(id('capture-file'), file);
  await page.click(id('capture-analyze'));
  await page.click(id('analyze-start'));
  await page.waitForSelector(`${id('job-state')}[data-state="done"]`, { timeout: 150_000 });
  await page.locator(id('job-alert-row'), { hasText: SCANNER }).first().waitFor();
  await page.click(id('tab-blocks'));
  await page.locator(id('job-block-row'), { hasText: SCANNER }).first().waitFor();
  await page.click(id('job-packets'));
  await page.locator(id('packet-open')).first().click();
  await page.waitForSelector(id('hex-view'));
  await page.locator(id('packet-layer'), { hasText: /tcp/i }).click();
  assert.ok((await page.locator(`${id('hex-view')} mark`).count()) > 0);
  const download = page.waitForEvent('download');
  await page.click(id('pcap-download'));
  assert.deepEqual(readFileSync(await (await download).path()), readFileSync(file));
});

test('a session that is ended signs its tab out at once', async () => {
  await makeUser('analyst', 'anna');
  const other = await ConsoleTab.open(browser);
  await other.signIn('anna', USER_PASSWORD);
  await tab.go('/accounts?tab=sessions');
  await tab.page
    .locator(id('session-row'), { hasText: /anna.*Mozilla/ })
    .locator(id('session-revoke'))
    .click();
  await tab.page.click(id('confirm-ok'));
  await other.page.waitForSelector(id('login-submit'));
  await other.context.close();
});

/** Where something stands in the console, and the operation of the contract that it calls. */
const MATRIX: [path: string, testid: string, operation: OperationId][] = [
  ['/', 'mode-observe:enabled', 'setMode'],
  [`/alerts?q=ip:${SCANNER}`, 'row-block', 'addDecision'],
  [`/alerts?q=ip:${SCANNER}`, 'select-all', 'bulkAlerts'],
  [`/alerts?q=ip:${SCANNER}`, 'export-alerts', 'exportList'],
  ['/incidents', 'select-all', 'bulkIncidents'],
  ['/blocks', 'block-add', 'addDecision'],
  ['/blocks', 'block-import', 'importDecisions'],
  ['/allow', 'allow-add', 'addAllow'],
  ['/policies/scan', 'policy-save', 'putPolicy'],
  ['/policies/scan', 'backtest-panel', 'startBacktest'],
  ['/rules', 'rule-toggle', 'setRuleState'],
  ['/rules', 'tab-check', 'checkRules'],
  ['/rules?tab=suppressions', 'suppress-add', 'addSuppression'],
  ['/models?tab=training', 'training-start', 'startTraining'],
  ['/lab', 'capture-file', 'uploadCapture'],
  ['/integrations', 'siem-test', 'testSiem'],
  ['/integrations', 'siem-reload', 'reloadSiem'],
  ['/system', 'doctor-run', 'doctor'],
  ['/system', 'canary-run', 'canary'],
  ['/system', 'inject', 'injectPackets'],
  ['/system', 'tab-ruleset', 'getRuleset'],
  ['/system', 'tab-settings', 'listSettings'],
  ['/system', 'tab-backup', 'listBackups'],
  ['/accounts', 'tab-users', 'listUsers'],
  ['/accounts', 'tab-audit', 'listAudit'],
];

for (const role of ROLES) {
  test(`the ${role} is offered exactly what the contract lets this role do`, async () => {
    await makeUser(role, `the-${role}`);
    const theirs = await ConsoleTab.open(browser);
    await theirs.signIn(`the-${role}`, USER_PASSWORD);
    const seen: Record<string, boolean> = {};
    const expected: Record<string, boolean> = {};
    for (const [path, what, operation] of MATRIX) {
      const [testid = '', needs] = what.split(':');
      await theirs.go(path);
      const found = theirs.page.locator(id(testid)).first();
      const isThere = (await theirs.page.locator(id(testid)).count()) > 0;
      seen[`${path} ${testid}`] = isThere && (needs === undefined || (await found.isEnabled()));
      const { access } = OPERATIONS[operation];
      expected[`${path} ${testid}`] = access === 'public' || access === 'session' || roleAllows(role, access);
    }
    assert.deepEqual(seen, expected);
    assert.deepEqual(theirs.complaints, []);
    await theirs.context.close();
  });
}

test('the browser had nothing to complain about', () => {
  assert.deepEqual(tab.complaints, []);
});

/** Adds a user and changes the first password, so that the browser can sign in at once. */
async function makeUser(role: string, name: string): Promise<void> {
  const { status, body } = await box.api.ask<{ password: string }>('POST', '/users', { name, role });
  assert.equal(status, 201, JSON.stringify(body));
  await new ApiClient(box.socketPath).login(name, body.password, USER_PASSWORD);
}
