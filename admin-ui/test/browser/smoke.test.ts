import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { startMockServer, type MockOptions } from '../support/mock-server';

const CHROMIUM = process.env['PORTCULLIS_CHROMIUM'] ?? '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const id = (name: string): string => `[data-testid="${name}"]`;

// A skipped suite says why; the set-up script installs Debian's chromium, so CI does not skip.
describe.skipIf(!existsSync(CHROMIUM))(`the console in ${CHROMIUM}`, () => {
  let browser: Browser;
  const dist = inject('dist');
  let axe: string;
  let server: Awaited<ReturnType<typeof startMockServer>> | undefined;
  let context: BrowserContext | undefined;
  let cdp: CDPSession | undefined;
  /** Everything the browser complained about, Content-Security-Policy violations among it. */
  let complaints: string[] = [];

  beforeAll(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    await context?.close();
    await server?.close();
    context = undefined;
    cdp = undefined;
    server = undefined;
  });

  async function open(options: MockOptions = {}, viewport = { width: 1280, height: 800 }): Promise<Page> {
    server = await startMockServer({ dist, ...options });
    context = await browser.newContext({ viewport, reducedMotion: 'reduce' });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    complaints = [];
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(server.url);
    return page;
  }
  async function signIn(page: Page): Promise<void> {
    await page.fill(id('login-username'), 'admin');
    await page.fill(id('login-password'), 'correct horse battery');
    await page.click(id('login-submit'));
    await page.waitForSelector(`${id('live-state')}[data-state="live"]`);
  }
  /** Serious and critical findings of axe-core, as text; `only` names a rule, for a second look at one thing. */
  async function findings(page: Page, only?: string): Promise<string[]> {
    const what = only ? `[${JSON.stringify(only)}]` : "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']";
    const run = `axe.run(document,{runOnly:${what}}).then((r)=>JSON.stringify(r.violations))`;
    // Through the debugger: the page's own policy would refuse a script tag.
    cdp ??= await page.context().newCDPSession(page);
    const expression = `${(await page.evaluate('typeof axe')) === 'undefined' ? axe : ''};${run}`;
    const answer = await cdp.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const all = JSON.parse(String(answer.result.value)) as { id: string; impact: string; nodes: { html: string }[] }[];
    return all
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.id}: ${v.nodes[0]?.html ?? ''}`);
  }

  it('signs in, comes back where it was asked to go, and signs out', async () => {
    const page = await open();
    await page.goto(`${server?.url}/alerts?q=ip:203.0.113.7`);
    await page.fill(id('login-username'), 'admin');
    await page.fill(id('login-password'), 'wrong');
    await page.click(id('login-submit'));
    await page.waitForSelector(id('login-problem'));
    complaints = [];
    await page.fill(id('login-password'), 'correct horse battery');
    await page.click(id('login-submit'));
    await page.waitForSelector(id('alert-row'));
    expect(new URL(page.url()).search).toBe('?q=ip:203.0.113.7');
    await page.reload();
    await page.waitForSelector(id('alert-row'));
    await page.click(id('sign-out'));
    await page.waitForSelector(id('login-submit'));
    expect(complaints).toEqual([]);
  });

  it('works on all that a search finds, and shows the button that clears it beside the text', async () => {
    const page = await open();
    await signIn(page);
    await page.goto(`${server?.url}/alerts?q=port`);
    await page.waitForSelector(id('alert-row'));
    const box = await page.locator('.search').boundingBox();
    const clear = await page.locator('.search button').boundingBox();
    expect(clear && box && clear.x > box.x + box.width / 2).toBe(true);
    await page.goto(`${server?.url}/alerts?view=all`);
    await page.waitForSelector(id('alert-row'));
    const all = server?.world.alerts ?? [];
    expect(all.length).toBeGreaterThan(50);
    await page.locator('thead input[type=checkbox]').check();
    await page.click(id('bulk-found'));
    await page.waitForSelector(`${id('bulk-bar')} b:text-is("${all.length} selected")`);
    await page.click(id('bulk-archive'));
    await expect.poll(() => all.filter(({ state }) => state !== 'archived').length, { timeout: 60_000 }).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('asks for the second factor and for a new first password', async () => {
    const page = await open();
    await page.fill(id('login-username'), 'totp');
    await page.fill(id('login-password'), 'correct horse battery');
    await page.click(id('login-submit'));
    await page.fill(id('login-totp'), '123456');
    await page.click(id('login-submit'));
    await page.waitForSelector(id('enforcement-gauge'));
    await page.click(id('sign-out'));
    await page.fill(id('login-username'), 'first');
    await page.fill(id('login-password'), 'correct horse battery');
    await page.click(id('login-submit'));
    await page.fill(id('password-current'), 'correct horse battery');
    await page.fill(id('password-next'), 'a new phrase for nights');
    await page.fill(id('password-again'), 'a new phrase for nights');
    await page.click(id('password-submit'));
    await page.waitForSelector(id('enforcement-gauge'));
  });

  it('blocks from the alert row, shows green only after the kernel, and undoes it', async () => {
    const page = await open({ kernelMs: 1500 });
    await signIn(page);
    await page.click(id('nav-alerts'));
    await page.click(`${id('alert-row')} ${id('row-block')}`);
    await page.waitForSelector(id('block-preview'));
    await page.fill(id('block-reason'), 'smoke test');
    await page.click(id('block-submit'));
    await page.waitForSelector(`${id('toast')}[data-tone="pending"]`);
    expect(await page.$(`${id('toast')}[data-tone="ok"]`)).toBeNull();
    await page.waitForSelector(`${id('toast')}[data-tone="ok"]`);
    await page.click(id('toast-undo'));
    await page.waitForFunction(() =>
      [...document.querySelectorAll('[data-testid="toast"]')].some((t) => t.textContent?.includes('is released')),
    );
    expect(complaints).toEqual([]);
  });

  it('refuses a protected address with the reason, before and after the attempt', async () => {
    const page = await open();
    await signIn(page);
    await page.click(id('nav-blocks'));
    await page.click(id('block-add'));
    await page.fill(id('block-value'), '192.0.2.1');
    await page.waitForSelector(id('preview-protected'));
    await page.fill(id('block-reason'), 'smoke test');
    await page.click(id('block-submit'));
    expect(await page.textContent(id('block-refused'))).toContain('gateway');
  });

  it('is worked from the keyboard', async () => {
    const page = await open();
    await signIn(page);
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.waitForSelector(id('alert-row'));
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.waitForSelector(id('bulk-bar'));
    const before = await page.locator(id('alert-row')).count();
    await page.keyboard.press('e');
    await page.waitForFunction(
      (n) =>
        document.querySelectorAll('[data-testid="alert-row"]').length !== n ||
        document.body.textContent?.includes('2 alerts: archived'),
      before,
    );
    await page.keyboard.press('?');
    await page.waitForSelector(id('help-dialog'));
    await page.keyboard.press('Escape');
    await page.waitForSelector(id('help-dialog'), { state: 'hidden' });
  });

  it('shows new alerts as a pill and leaves the rows where they are', async () => {
    const page = await open();
    await signIn(page);
    await page.click(id('nav-alerts'));
    await page.waitForSelector(id('alert-row'));
    const first = await page.getAttribute(id('alert-row'), 'data-key');
    const [alert] = server?.world.alerts ?? [];
    server?.publish('alerts', 'created', { ...alert, id: '01960000-0000-7000-8000-0000000fffff' });
    await page.waitForSelector(id('fresh-pill'));
    expect(await page.getAttribute(id('alert-row'), 'data-key')).toBe(first);
  });

  it('says what would have been blocked in observe mode, and marks no block as real', async () => {
    const page = await open({ mode: 'observe' });
    await signIn(page);
    expect(await page.textContent(id('notice-observe'))).toMatch(/nothing is blocked.*\d+ addresses would be blocked/);
    await page.click(id('nav-blocks'));
    await page.waitForSelector(id('block-row'));
    const marks = await page.$$eval(id('enforcement-mark'), (all) =>
      all.map((m) => (m as HTMLElement).dataset['simulated']),
    );
    expect(new Set(marks)).toEqual(new Set(['true']));
    expect(complaints).toEqual([]);
  });

  it('reconnects, and tells so meanwhile', async () => {
    const page = await open();
    await signIn(page);
    server?.dropSockets();
    await page.waitForSelector(`${id('live-state')}:not([data-state="live"])`);
    await page.waitForSelector(`${id('live-state')}[data-state="live"]`);
  });

  it('shows a calm empty state for a part that the server lacks', async () => {
    const page = await open({ missing: /^\/(models|flows)/ });
    await signIn(page);
    await page.click(id('nav-models'));
    await page.waitForSelector(id('state-error'));
    expect(await page.textContent(id('state-error'))).toContain('Not available');
    expect(await page.$(id('toast'))).toBeNull();
  });

  it('hides what the role may not do', async () => {
    const page = await open({ role: 'viewer' });
    await signIn(page);
    expect(await page.isDisabled(id('mode-observe'))).toBe(true);
    await page.click(id('nav-blocks'));
    await page.waitForSelector(id('block-row'));
    expect(await page.$(id('block-add'))).toBeNull();
    expect(await page.$(id('release-button'))).toBeNull();
  });

  it('unblocks on a phone in three taps', async () => {
    const page = await open({}, { width: 390, height: 844 });
    await signIn(page);
    await page.click('.tabbar a[href="/blocks"]');
    await page.click(id('unblock-mine'));
    await page.click(`${id('unblock-box')} ${id('release-button')}`);
    await page.click(id('confirm-ok'));
    await page.waitForSelector(`${id('toast')}[data-tone="ok"]`);
    const wider = await page.evaluate(
      () => document.documentElement.scrollWidth > document.documentElement.clientWidth,
    );
    expect(wider).toBe(false);
    expect(complaints).toEqual([]);
  });

  const SCREENS = [
    '/',
    '/incidents',
    '/alerts',
    '/blocks',
    '/blocks?tab=all',
    '/blocks?tab=test&target=203.0.113.7',
    '/allow',
    '/allow?tab=protected',
    '/policies',
    '/policies/scans',
    '/inline',
    '/traffic',
    '/models',
    '/rules',
    '/integrations',
    '/fleet',
    '/system',
    '/accounts',
    '/accounts?tab=tokens',
    '/accounts?tab=audit',
    '/me',
    '/nowhere',
  ];
  it(
    'has no serious axe finding and breaks no policy on any screen, dark and light',
    { timeout: 300_000 },
    async () => {
      const page = await open();
      await page.emulateMedia({ colorScheme: 'dark' });
      expect(await findings(page)).toEqual([]);
      await signIn(page);
      const alert = server?.world.alerts[2];
      const decision = server?.world.decisions[0];
      for (const path of [
        ...SCREENS,
        `/alerts/${alert?.id}`,
        `/incidents/${alert?.incidentId}`,
        `/blocks/${decision?.id}`,
      ]) {
        // Moving inside the page keeps axe loaded; a reload of each screen is covered by the first test.
        await page.evaluate((to) => {
          history.pushState({}, '', to);
          window.dispatchEvent(new PopStateEvent('popstate', { state: {} }));
        }, path);
        await page.waitForFunction(
          (to) =>
            location.pathname + location.search === to &&
            document.querySelector('main .page') &&
            !document.querySelector('[data-testid="state-loading"]'),
          path,
        );
        expect({ path, found: await findings(page) }).toEqual({ path, found: [] });
        await page.emulateMedia({ colorScheme: 'light' });
        await page.waitForSelector('html[data-theme="light"]');
        expect({ path, light: await findings(page, 'color-contrast') }).toEqual({ path, light: [] });
        await page.emulateMedia({ colorScheme: 'dark' });
      }
      expect(complaints).toEqual([]);
    },
  );

  it('would notice: an inline style and a nameless button are both reported', async () => {
    const page = await open();
    await page.waitForSelector(id('login-submit'));
    await page.evaluate(() => {
      document.body.insertAdjacentHTML('beforeend', '<p style="color: red">x</p><button></button>');
    });
    expect((await findings(page)).join()).toContain('button-name');
    expect(complaints.join()).toContain('Content Security Policy');
  });
});
