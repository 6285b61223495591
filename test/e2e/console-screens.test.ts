import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { Box, PASSWORD } from '../lab/box/box.js';
import { openBrowser } from '../lab/box/browser.js';
import { ConsoleTab, id } from '../lab/box/console.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';

const [SCANNER = '', INJECTOR = ''] = ATTACKER_ADDRESSES;

let lab: Lab;
let box: Box;
let browser: Browser;
let screens: string[];

before(async () => {
  lab = await openLab({ services: ['web', 'syslog'] });
  box = await Box.start(lab, { mode: 'enforce' });
  await box.login();
  browser = await openBrowser(lab, lab.hosts.router);
  const { attacker, victim } = lab.hosts;
  const web = (from: string, path: string) =>
    attacker.run('curl', [
      '-s',
      '-o',
      '/dev/null',
      '--max-time',
      '3',
      '--interface',
      from,
      `http://${victim.ip4}${path}`,
    ]);
  await web(SCANNER, '/');
  await web(INJECTOR, '/item?id=1%27%20UNION%20SELECT%20a,b%20FROM%20users--%3Cb%3Ebold%3C/b%3E');
  await attacker.run('timeout', ['5', 'nmap', '-sT', '-n', '-Pn', '-T4', '-p', '1-200', victim.ip4]);
  await attacker.run('true', []);
  const list = async <T>(path: string) => (await box.api.get<{ items: T[] }>(path)).items;
  type Alert = { id: string; incidentId: string; offender: string };
  const alerts = await waitFor('alerts of both', async () => {
    const items = await list<Alert>('/alerts');
    return [SCANNER, INJECTOR].every((a) => items.some((i) => i.offender === a)) ? items : undefined;
  });
  const injected = alerts.find((a) => a.offender === INJECTOR);
  const decision = (await waitFor(
    'a decision',
    async () => (await list<{ id: string }>('/decisions?state=all'))[0],
  )) ?? { id: '' };
  const [model] = await list<{ name: string }>('/models');
  const [rule] = await list<{ gid: number; sid: number }>('/rules');
  screens = [
    ...['/', '/incidents', '/incidents?view=mine', `/incidents/${injected?.incidentId}`],
    ...['/alerts', '/alerts?view=archived', `/alerts/${injected?.id}`],
    ...['/blocks', '/blocks?tab=all', `/blocks?tab=test&target=${SCANNER}`, `/blocks/${decision.id}`],
    ...['/allow', '/allow?tab=protected', '/allow?tab=test'],
    ...['/policies', '/policies/scan', '/policies/scan?edit=form'],
    ...['/rules', '/rules?tab=files', '/rules?tab=sources', '/rules?tab=check', `/rules/${rule?.gid}/${rule?.sid}`],
    ...['/models', '/models?tab=queue', '/models?tab=training', '/models?tab=drift', `/models/${model?.name}`],
    ...['/traffic', '/traffic?tab=hosts', `/hosts/${victim.ip4}`, '/lab'],
    ...['/integrations', '/integrations?tab=feeds', '/integrations?tab=requests'],
    ...['/system', '/system?tab=settings', '/setup', '/me', '/nowhere'],
    ...['/accounts', '/accounts?tab=sessions', '/accounts?tab=tokens', '/accounts?tab=audit'],
  ];
});
after(async () => {
  await browser?.close();
  await lab?.close();
});

test('every screen is free of serious axe findings in both themes, and breaks no policy', async () => {
  const tab = await ConsoleTab.open(browser);
  await tab.page.goto('http://127.0.0.1:8443/');
  await tab.page.waitForSelector(id('login-submit'));
  assert.deepEqual(await tab.findings(), []);
  await tab.signIn('admin', PASSWORD);
  for (const path of screens) {
    await tab.go(path);
    assert.deepEqual({ path, found: await tab.findings() }, { path, found: [] });
    await tab.page.emulateMedia({ colorScheme: 'light' });
    await tab.page.waitForSelector('html[data-theme="light"]');
    assert.deepEqual({ path, light: await tab.findings('color-contrast') }, { path, light: [] });
    await tab.page.emulateMedia({ colorScheme: 'dark' });
  }
  assert.deepEqual(tab.complaints, []);
  await tab.context.close();
});

test('no screen is wider than a phone, and what an attacker wrote is text', async () => {
  const tab = await ConsoleTab.open(browser, { viewport: { width: 390, height: 844 } });
  await tab.signIn('admin', PASSWORD);
  for (const path of screens) {
    await tab.go(path);
    assert.deepEqual({ path, wide: await tab.overflows() }, { path, wide: false });
    assert.equal(await tab.page.locator('main b', { hasText: /^bold$/ }).count(), 0, path);
  }
  assert.deepEqual(tab.complaints, []);
  await tab.context.close();
});

test('the control: a nameless button, an inline style and a wide page are all noticed', async () => {
  const tab = await ConsoleTab.open(browser, { viewport: { width: 390, height: 844 } });
  await tab.signIn('admin', PASSWORD);
  await tab.page.evaluate(`
    document.body.insertAdjacentHTML('beforeend', '<p style="color: red">x</p><button></button>');
    const wide = document.createElement('div');
    wide.style.width = '900px';
    wide.textContent = 'wide';
    document.body.append(wide);
  `);
  assert.match((await tab.findings()).join(), /button-name/);
  assert.match(tab.complaints.join(), /Content Security Policy/);
  assert.ok(await tab.overflows());
  await tab.context.close();
});
