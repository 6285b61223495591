// Pictures of the console with real lab traffic behind it, for the documentation: npx tsx test/lab/screenshots.ts docs/images
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Box, PASSWORD } from './box/box.js';
import { openBrowser } from './box/browser.js';
import { ConsoleTab, id } from './box/console.js';
import { openLab } from './lab.js';
import { ADDRESS, ATTACKER_ADDRESSES, CLIENT_ADDRESSES } from './topology.js';

const out = process.argv[2] ?? 'docs/images';
mkdirSync(out, { recursive: true });

const lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
try {
  const box = await Box.start(lab, { mode: 'enforce' });
  const browser = await openBrowser(lab, lab.hosts.router);
  const tab = await ConsoleTab.open(browser);
  const { page } = tab;
  await tab.signIn('admin', box.firstPassword, PASSWORD);

  const { attacker, client, victim } = lab.hosts;
  const [scanner = ADDRESS.attacker.ip4, injector = '', scripter = ''] = ATTACKER_ADDRESSES;
  const visit = (host: typeof client, from: string, path = '/') => {
    const quiet = ['-s', '-o', '/dev/null', '--max-time', '3', '--interface', from];
    return host.run('curl', [...quiet, `http://${victim.ip4}${path}`]);
  };
  for (let i = 0; i < 80; i++) await visit(client, CLIENT_ADDRESSES[i % CLIENT_ADDRESSES.length] ?? ADDRESS.client.ip4);
  await visit(attacker, injector, '/item?id=1%27%20UNION%20SELECT%20name,password%20FROM%20users--');
  await visit(attacker, scripter, '/?q=%3Cscript%3Ealert(1)%3C/script%3E');
  await visit(attacker, scanner);
  await attacker.run('timeout', ['12', 'nmap', '-sT', '-n', '-Pn', '-T4', '-p', '1-300', victim.ip4]);
  // Long enough for flows to end and for the chart to have a course.
  await page.waitForTimeout(40_000);
  await page.screenshot({ path: join(out, 'overview.png'), fullPage: true });
  await tab.go('/alerts');
  await page.screenshot({ path: join(out, 'alerts.png') });
  await tab.go(`/incidents?q=ip:${injector}`);
  await page
    .locator(`${id('incident-row')} a[href^="/incidents/"]`)
    .first()
    .click();
  await page.waitForSelector(id('evidence'));
  await page.waitForTimeout(1000);
  await page.screenshot({ path: join(out, 'incident.png'), fullPage: true });
  await tab.go('/blocks');
  await page.screenshot({ path: join(out, 'blocks.png') });
  await browser.close();
} finally {
  await lab.close();
}
