/** A real Chromium for a test file, and pages that fail a test for what a person would not see: policy violations, script errors. */
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import chromiumBinary from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';
import { ROOT } from '../rules/source.ts';
import { PASSWORD } from './tenant.ts';

/** Milliseconds that whatever is waited for may take, on however busy a machine. */
const WAIT = 60_000;

export interface TestPage {
  readonly page: Page;
  /** Fails when the page broke its Content-Security-Policy, threw, or logged an error. */
  readonly expectClean: () => void;
}

export interface TestBrowser {
  open(address: string, options?: BrowserContextOptions): Promise<TestPage>;
}

/** Call it at the top of a test file. The binary's own arguments are not used: they switch web security off. */
export async function testBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: await chromiumBinary.executablePath(),
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
  afterAll(() => browser.close());
  return {
    open: async (address, options) => {
      const context = await browser.newContext({
        viewport: { width: 1360, height: 860 },
        // Nothing fades in or slides away: what is there is there as it will stay.
        reducedMotion: 'reduce',
        ...options,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT);
      const faults: string[] = [];
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        // An answer of 4xx is logged by the browser itself; the page shows it in its own words.
        if (message.type() === 'error' && !text.startsWith('Failed to load resource')) faults.push(text);
      });
      await page.goto(address);
      return { page, expectClean: () => expect(faults).toEqual([]) };
    },
  };
}

/** On the page that asks for it, whatever its language. Until the server has answered: then there is a session, or none. */
export async function signIn(page: Page, email = 'admin@acme.example', password = PASSWORD): Promise<void> {
  await page.locator('input[autocomplete=username]').fill(email);
  await page.locator('input[type=password]').fill(password);
  const answered = page.waitForResponse(
    (response) => response.url().endsWith('/api/session') && response.request().method() === 'POST',
  );
  await page.locator('button[type=submit]').click();
  await answered;
}

/** Until nothing moves that comes to an end: colours are in between while they change. */
export async function atRest(page: Page): Promise<void> {
  const moving = () =>
    page.evaluate(
      () =>
        document
          .getAnimations()
          .filter(
            ({ playState, effect }) => playState === 'running' && effect?.getComputedTiming().endTime !== Infinity,
          ).length,
    );
  await expect.poll(moving, { timeout: WAIT }).toBe(0);
}

/** Keeps a picture of a page in `test-results`. */
export async function shot(page: Page, name: string, options: { readonly fullPage?: boolean } = {}): Promise<void> {
  await atRest(page);
  await page.screenshot({ path: join(ROOT, 'test-results', `${name}.png`), ...options });
}

/** Fails for what keeps people with disabilities out. */
export async function expectAccessible(page: Page): Promise<void> {
  await atRest(page);
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`)).toEqual([]);
}
