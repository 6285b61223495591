import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { waitFor } from '../wait.js';
import { API_PORT } from './box.js';

/** The selector of a `data-testid`. */
export const id = (name: string): string => `[data-testid="${name}"]`;

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const WCAG = "['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa']";

export interface TabOptions {
  viewport?: { width: number; height: number };
  colorScheme?: 'dark' | 'light';
}

/** One tab of the console, in a browser of the lab: signs in, moves, and notes whatever the browser complains about. */
export class ConsoleTab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, of the Content-Security-Policy, and of requests that were not answered well. */
  readonly complaints: string[] = [];
  private readonly cdp: CDPSession;
  private axe = '';

  private constructor(page: Page, context: BrowserContext, cdp: CDPSession) {
    this.page = page;
    this.context = context;
    this.cdp = cdp;
    page.on('console', (message) => {
      // The browser logs every refused request; what it says is asserted where it matters.
      if (message.type() === 'error' && !/status of 40[149]/.test(message.text())) this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.message));
  }

  /** Opens a tab of its own session, with no motion that a test would have to wait for. */
  static async open(browser: Browser, options: TabOptions = {}): Promise<ConsoleTab> {
    const { viewport = { width: 1280, height: 800 }, colorScheme = 'dark' } = options;
    const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce', acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    return new ConsoleTab(page, context, await context.newCDPSession(page));
  }

  /** Signs in; `next` is the password that a first one is changed to. */
  async signIn(user: string, password: string, next?: string): Promise<void> {
    const { page } = this;
    await page.goto(`http://127.0.0.1:${API_PORT}/`);
    await page.fill(id('login-username'), user);
    await page.fill(id('login-password'), password);
    await page.click(id('login-submit'));
    if (next !== undefined) {
      await page.fill(id('password-current'), password);
      await page.fill(id('password-next'), next);
      await page.fill(id('password-again'), next);
      await page.click(id('password-submit'));
    }
    await page.waitForSelector(`${id('live-state')}[data-state="live"]`);
  }

  /** Moves inside the page, as a link does, and waits until the screen has what it asked for. */
  async go(path: string): Promise<void> {
    const to = JSON.stringify(path);
    await this.page.evaluate(
      `{ const state = { current: ${to}, position: history.length };
         history.pushState(state, '', ${to});
         window.dispatchEvent(new PopStateEvent('popstate', { state })); }`,
    );
    const isThere = `location.pathname + location.search === ${to} && document.querySelector('main')?.dataset.path === location.pathname &&
      document.querySelector('main .page') !== null &&
      document.querySelector('[data-testid="state-loading"]') === null`;
    // Asked from here: the page's own policy would refuse a condition that is given to it as text.
    await waitFor(path, async () => (await this.page.evaluate<boolean>(isThere)) || undefined);
  }

  /** Serious and critical findings of axe-core, as text; `only` names a rule, for a second look at one thing. */
  async findings(only?: string): Promise<string[]> {
    this.axe ||= await readFile(AXE, 'utf8');
    const what = only ? `[${JSON.stringify(only)}]` : WCAG;
    // Through the debugger: the page's own policy would refuse a script tag.
    const isLoaded = (await this.page.evaluate('typeof axe')) !== 'undefined';
    const run = `axe.run(document,{runOnly:${what}}).then((r)=>JSON.stringify(r.violations))`;
    const expression = isLoaded ? run : `${this.axe};${run}`;
    const answer = await this.cdp.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    const all = JSON.parse(String(answer.result.value)) as { id: string; impact: string; nodes: { html: string }[] }[];
    return all
      .filter((v) => ['serious', 'critical'].includes(v.impact))
      .map((v) => `${v.id}: ${v.nodes[0]?.html ?? ''}`);
  }

  /** True when the page is wider than the window. */
  overflows(): Promise<boolean> {
    return this.page.evaluate<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth');
  }

  /** Waits for a message of the page with this tone, and gives its text. */
  async toast(tone: 'ok' | 'warn' | 'sim' | 'danger'): Promise<string> {
    const toast = this.page.locator(`${id('toast')}[data-tone="${tone}"]`).last();
    await toast.waitFor();
    return (await toast.textContent()) ?? '';
  }
}
