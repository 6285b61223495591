import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { API_PORT, Box, PASSWORD } from '../lab/box/box.js';
import { openBrowser } from '../lab/box/browser.js';
import { connects, kernelElement } from '../lab/box/kernel.js';
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
const id = (name: string): string => `[data-testid="${name}"]`;

let lab: Lab;
let box: Box;
let browser: Browser;
let page: Page;
/** Everything the browser complained about. */
const complaints: string[] = [];

before(async () => {
  lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
  box = await Box.start(lab, { mode: 'enforce', policies: NO_POLICY });
  browser = await openBrowser(lab, lab.hosts.router);
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
});
after(async () => {
  await browser?.close();
  await lab?.close();
});

test('the first login asks for a new password and then shows the overview, live', async () => {
  await page.goto(`http://127.0.0.1:${API_PORT}/`);
  await page.fill(id('login-username'), 'admin');
  await page.fill(id('login-password'), box.firstPassword);
  await page.click(id('login-submit'));
  await page.fill(id('password-current'), box.firstPassword);
  await page.fill(id('password-next'), PASSWORD);
  await page.fill(id('password-again'), PASSWORD);
  await page.click(id('password-submit'));
  await page.waitForSelector(id('enforcement-gauge'));
  await page.waitForSelector(`${id('live-state')}[data-state="live"]`);
});

test('an alert appears in the open list by itself, and a block from its row is a kernel element that stops the traffic', async () => {
  await page.click(id('nav-alerts'));
  await page.waitForURL(/alerts/);
  assert.equal(await page.locator(id('alert-row')).count(), 0);
  const { attacker, victim, router } = lab.hosts;
  await attacker.run('nmap', ['-sT', '-n', '-Pn', '-T4', '-p', '1-200', victim.ip4]);
  const row = page.locator(id('alert-row'), { hasText: SCANNER }).first();
  const pill = page.locator(id('fresh-pill'));
  await row.or(pill).first().waitFor({ timeout: 10_000 });
  if (await pill.isVisible()) await pill.click();
  await row.waitFor();
  assert.ok(await connects(attacker, SCANNER, victim.ip4, 80), 'nothing was blocked before');

  await row.locator(id('row-block')).click();
  await page.waitForSelector(id('block-preview'));
  await page.fill(id('block-reason'), 'scanned us');
  await page.click(id('block-submit'));
  await page.waitForSelector(`${id('toast')}[data-tone="ok"]`);
  // The console says so only when the kernel has it: no waiting here.
  assert.match((await kernelElement(router, 'block4_32', SCANNER)) ?? 'no element', /10\.77\.66\.10/);
  assert.equal(await connects(attacker, SCANNER, victim.ip4, 80), false);
});

test('the block is in the list of blocks and is released there in one step', async () => {
  await page.click(id('nav-blocks'));
  await page.locator(id('block-row'), { hasText: SCANNER }).first().locator(id('release-button')).click();
  const confirm = page.locator(id('confirm-ok'));
  const gone = async () => (await kernelElement(lab.hosts.router, 'block4_32', SCANNER)) === undefined;
  await waitFor('released', async () => {
    if (await confirm.isVisible()) await confirm.click();
    return gone();
  });
  assert.ok(await connects(lab.hosts.attacker, SCANNER, lab.hosts.victim.ip4, 80));
});

test('the browser had nothing to complain about', () => {
  // Before the login, the question whether a session exists is answered with 401.
  assert.deepEqual(
    complaints.filter((text) => !/401/.test(text)),
    [],
  );
});
