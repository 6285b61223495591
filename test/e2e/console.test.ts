import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { Box, PASSWORD } from '../lab/box/box.js';
import { openBrowser } from '../lab/box/browser.js';
import { ConsoleTab, id } from '../lab/box/console.js';
import { connects, isShut, kernelElement } from '../lab/box/kernel.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ADDRESS } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';

const SCANNER = ADDRESS.attacker.ip4;
/** Matches nothing: what is blocked here is blocked by hand. */
const NO_POLICY = {
  'none.yaml': `
format: 1
name: none
description: Leaves everything to the operator.
when: { labels: [no_such_label] }
respond:
  ladder: [{ action: block, scope: ip, duration: 1m }]
`,
};

let lab: Lab;
let box: Box;
let browser: Browser;
let tab: ConsoleTab;

before(async () => {
  lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
  box = await Box.start(lab, { mode: 'enforce', policies: NO_POLICY });
  browser = await openBrowser(lab, lab.hosts.router);
  tab = await ConsoleTab.open(browser);
});
after(async () => {
  await browser?.close();
  await lab?.close();
});

const blocked = () => kernelElement(lab.hosts.router, 'block4_32', SCANNER);
const reachesWeb = () => connects(lab.hosts.attacker, SCANNER, lab.hosts.victim.ip4, 80);

test('the first login asks for a new password and then shows the overview, live', async () => {
  await tab.signIn('admin', box.firstPassword, PASSWORD);
  await tab.page.waitForSelector(id('enforcement-gauge'));
});

test('an alert appears in the open list by itself, and a block from its row is a kernel element that stops the traffic', async () => {
  const { page } = tab;
  await page.click(id('nav-alerts'));
  await page.waitForURL(/alerts/);
  assert.equal(await page.locator(id('alert-row')).count(), 0);
  const { attacker, victim } = lab.hosts;
  await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-200', victim.ip4]);
  const row = page.locator(id('alert-row'), { hasText: SCANNER }).first();
  const pill = page.locator(id('fresh-pill'));
  await row.or(pill).first().waitFor();
  if (await pill.isVisible()) await pill.click();
  await row.waitFor();
  assert.ok(await reachesWeb(), 'nothing was blocked before');

  await row.locator(id('row-block')).click();
  await page.waitForSelector(id('block-preview'));
  await page.fill(id('block-reason'), 'scanned us');
  await page.click(id('block-submit'));
  await tab.toast('ok');
  // The console says so only when the kernel has it: no waiting here.
  assert.match((await blocked()) ?? 'no element', /10\.77\.66\.10/);
  assert.ok(await isShut(lab.hosts.attacker, SCANNER, lab.hosts.victim.ip4, 80));
});

test('the block is released and its address allowed in one step, and the kernel then lets nothing block it', async () => {
  const { page } = tab;
  await page.click(id('nav-blocks'));
  const row = page.locator(id('block-row'), { hasText: SCANNER }).first();
  await row.locator(id('release-allow-button')).click();
  await page.fill(id('confirm-reason'), 'our own scanner');
  await page.click(id('confirm-ok'));
  await waitFor('released', async () => (await blocked()) === undefined);
  await waitFor('allowed in the kernel', async () => kernelElement(lab.hosts.router, 'allow4_32', SCANNER));
  assert.ok(await reachesWeb());
  await page.click(id('nav-allow'));
  await page.locator(id('allow-row'), { hasText: 'our own scanner' }).waitFor();
});

test('the allow entry ends, and the same is blocked from the keyboard alone and undone from its message', async () => {
  const { page } = tab;
  await page.locator(id('allow-row'), { hasText: SCANNER }).locator(id('allow-remove')).click();
  await page.click(id('confirm-ok'));
  await waitFor('no longer allowed', async () =>
    (await kernelElement(lab.hosts.router, 'allow4_32', SCANNER)) === undefined ? true : undefined,
  );
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
  };
  await press('g', 'a');
  await page.waitForSelector(id('alert-row'));
  await press('j', 'b');
  await page.waitForSelector(id('block-preview'));
  await page.focus(id('block-reason'));
  await page.keyboard.type('again');
  await press('Enter');
  await waitFor('blocked', blocked);
  await page
    .locator(`${id('toast')}[data-tone="ok"]`, { hasText: SCANNER })
    .last()
    .waitFor();
  await page.locator(id('toast-undo')).last().press('Enter');
  await waitFor('undone', async () => ((await blocked()) === undefined ? true : undefined));
});

test('on a phone an address is unblocked in three taps', async () => {
  const { status } = await (async () => {
    await box.api.login('admin', PASSWORD, PASSWORD);
    return box.api.ask('POST', '/decisions', { value: SCANNER, durationSecs: 600, reason: 'for the phone' });
  })();
  assert.equal(status, 201);
  await waitFor('blocked', blocked);
  const phone = await ConsoleTab.open(browser, { viewport: { width: 390, height: 844 } });
  await phone.signIn('admin', PASSWORD);
  await phone.page.click('.tabbar a[href="/blocks"]');
  await phone.page.fill(id('unblock-address'), SCANNER);
  await phone.page.click(id('unblock-find'));
  await phone.page.click(`${id('unblock-box')} ${id('release-button')}`);
  await phone.page.click(id('confirm-ok'));
  await phone.toast('ok');
  assert.equal(await blocked(), undefined);
  assert.deepEqual(phone.complaints, []);
  await phone.context.close();
});

test('the browser had nothing to complain about', () => {
  assert.deepEqual(tab.complaints, []);
});
