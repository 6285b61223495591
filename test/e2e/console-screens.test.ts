import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Browser } from 'playwright-core';
import { Box, PASSWORD } from '../lab/box/box.js';
import { openBrowser } from '../lab/box/browser.js';
import { ConsoleTab, id } from '../lab/box/console.js';
import { openLab, type Lab } from '../lab/lab.js';
import { ATTACKER_ADDRESSES } from '../lab/topology.js';
import { waitFor } from '../lab/wait.js';

const [SCANNER = '', INJECTOR = '', ASKER = ''] = ATTACKER_ADDRESSES;
/** What attackers write where it is shown to people. Run, it would be bold, an image, a dialog. */
const BOLD = '<b>bold</b>';
const HOSTILE = `${BOLD}<img src=x onerror=alert(1)>`;
/** Rules whose own message is hostile, about a header, a DNS name and an SNI that are. */
const RULES = `
alert http any any -> any any (msg:"${BOLD} in a header"; flow:to_server,established; http.user_agent; content:"onerror"; sid:1000001; rev:1;)
alert dns any any -> any any (msg:"${BOLD} in a name"; dns.query; content:"bold"; nocase; sid:1000002; rev:1;)
alert tls any any -> any any (msg:"${BOLD} in SNI"; flow:to_server; tls.sni; content:"bold"; nocase; sid:1000003; rev:1;)
`;
const SHIPPED_RULES = 'policies/rules';

/** A DNS question for a name of these labels, as printf writes it. */
function question(...labels: string[]): string {
  const name = labels.map((label) => [label.length, ...Buffer.from(label)]).flat();
  const bytes = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...name, 0, 0, 1, 0, 1];
  return bytes.map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

let lab: Lab;
let box: Box;
let browser: Browser;
let screens: string[];
/** Screens that show the hostile text. */
let hostile: string[];

before(async () => {
  lab = await openLab({ services: ['web', 'dns', 'syslog'] });
  const own = join(lab.dir, 'own.rules');
  writeFileSync(own, RULES);
  const shipped = readdirSync(SHIPPED_RULES).filter((file) => file.endsWith('.rules'));
  const rules = [...shipped.map((file) => join(process.cwd(), SHIPPED_RULES, file)), own];
  box = await Box.start(lab, { mode: 'enforce', config: { detect: { signature: { rules } } } });
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
      ...['-A', HOSTILE, `http://${victim.ip4}${path}`],
    ]);
  await web(SCANNER, '/');
  await web(INJECTOR, '/item?id=1%27%20UNION%20SELECT%20a,b%20FROM%20users--%3Cb%3Ebold%3C/b%3E');
  const name = question(BOLD, 'evil', 'example');
  await attacker.run('bash', ['-c', `printf '${name}' > /dev/udp/${victim.ip4}/53`]);
  const hello = ['s_client', '-connect', `${victim.ip4}:443`, '-bind', ASKER, '-servername', `${BOLD}.example`];
  await attacker.run('timeout', ['3', 'openssl', ...hello]);
  await attacker.run('timeout', ['5', 'nmap', '-sT', '-n', '-Pn', '-T4', '-p', '1-200', victim.ip4]);
  const list = async <T>(path: string) => (await box.api.get<{ items: T[] }>(path)).items;
  type Alert = { id: string; incidentId: string; offender: string; title: string };
  const alerts = await waitFor('alerts of all', async () => {
    const items = await list<Alert>('/alerts');
    const titles = ['header', 'a name', 'SNI'].every((what) => items.some((i) => i.title.endsWith(what)));
    return titles && [SCANNER, INJECTOR].every((a) => items.some((i) => i.offender === a)) ? items : undefined;
  });
  const injected = alerts.find((a) => a.offender === INJECTOR);
  const decision = (await waitFor(
    'a decision',
    async () => (await list<{ id: string }>('/decisions?state=all'))[0],
  )) ?? { id: '' };
  const [model] = await list<{ name: string }>('/models');
  const [rule] = await list<{ gid: number; sid: number }>('/rules');
  const bold = alerts.filter((a) => a.title.startsWith(BOLD));
  const incident = bold[0]?.incidentId ?? '';
  const comment = await box.api.ask('POST', `/incidents/${incident}/comments`, { text: HOSTILE });
  assert.equal(comment.status, 201);
  hostile = ['/alerts', ...bold.map((a) => `/alerts/${a.id}`), `/incidents/${incident}`, '/rules/1/1000001'];
  screens = [
    ...bold.map((a) => `/alerts/${a.id}`),
    ...[`/incidents/${incident}`, '/rules/1/1000001'],
    ...['/system?tab=ruleset', '/system?tab=backup', '/integrations?tab=webhooks'],
    ...['/', '/incidents', '/incidents?view=mine', `/incidents/${injected?.incidentId}`],
    ...['/alerts', '/alerts?view=archived', `/alerts/${injected?.id}`],
    ...['/blocks', '/blocks?tab=all', `/blocks?tab=test&target=${SCANNER}`, `/blocks/${decision.id}`],
    ...['/allow', '/allow?tab=protected', '/allow?tab=test'],
    ...['/policies', '/policies/scan', '/policies/scan?edit=form'],
    ...[
      '/rules',
      '/rules?tab=suppressions',
      '/rules?tab=files',
      '/rules?tab=sources',
      '/rules?tab=check',
      `/rules/${rule?.gid}/${rule?.sid}`,
    ],
    ...['/models', '/models?tab=queue', '/models?tab=training', '/models?tab=drift', `/models/${model?.name}`],
    ...['/traffic', '/traffic?tab=hosts', `/hosts/${victim.ip4}`, '/lab'],
    ...['/integrations', '/integrations?tab=feeds', '/integrations?tab=requests'],
    ...['/inline', '/fleet', '/system', '/system?tab=settings', '/setup', '/me', '/nowhere'],
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
    assert.equal(await tab.page.locator('main img').count(), 0, path);
    if (hostile.includes(path)) assert.match((await tab.page.textContent('main')) ?? '', /<b>bold<\/b>/, path);
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
