// Pictures of the console with real lab traffic behind it, for the documentation: npx tsx test/lab/screenshots.ts docs/images
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { API_PORT, Box, PASSWORD } from './box/box.js';
import { openBrowser } from './box/browser.js';
import { openLab } from './lab.js';
import { ADDRESS, CLIENT_ADDRESSES } from './topology.js';

const out = process.argv[2] ?? 'docs/images';
const id = (name: string): string => `[data-testid="${name}"]`;
mkdirSync(out, { recursive: true });

const lab = await openLab({ services: ['web', 'ssh', 'syslog'] });
try {
  const box = await Box.start(lab, { mode: 'enforce' });
  const browser = await openBrowser(lab, lab.hosts.router);
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  await page.goto(`http://127.0.0.1:${API_PORT}/`);
  await page.fill(id('login-username'), 'admin');
  await page.fill(id('login-password'), box.firstPassword);
  await page.click(id('login-submit'));
  await page.fill(id('password-current'), box.firstPassword);
  await page.fill(id('password-next'), PASSWORD);
  await page.fill(id('password-again'), PASSWORD);
  await page.click(id('password-submit'));
  await page.waitForSelector(id('enforcement-gauge'));

  const { attacker, client, victim } = lab.hosts;
  const web = `http://${victim.ip4}/`;
  for (let i = 0; i < 80; i++) {
    const from = CLIENT_ADDRESSES[i % CLIENT_ADDRESSES.length] ?? ADDRESS.client.ip4;
    await client.run('curl', ['-s', '-o', '/dev/null', '--interface', from, web]);
  }
  const scan = ['-sT', '-n', '-Pn', '-T4', '-p', '1-300', victim.ip4];
  await attacker.run('curl', ['-s', '-o', '/dev/null', '--max-time', '3', web]);
  await attacker.run('timeout', ['12', 'nmap', ...scan]);
  await page.waitForTimeout(40_000);
  await page.screenshot({ path: join(out, 'overview.png'), fullPage: true });
  await page.click(id('nav-alerts'));
  await page.locator(id('alert-row')).first().waitFor();
  await page.screenshot({ path: join(out, 'alerts.png') });
  await page
    .locator(`${id('alert-row')} a`)
    .first()
    .click();
  await page.waitForTimeout(2500);
  await page.screenshot({ path: join(out, 'alert.png'), fullPage: true });
  await page.click(id('nav-blocks'));
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(out, 'blocks.png') });
  await browser.close();
} finally {
  await lab.close();
}
