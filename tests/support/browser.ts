/** A real Chromium for a test file, and pages that fail a test for what a person would not see: policy violations, script errors. */
import chromiumBinary from '@sparticuz/chromium';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, expect } from 'vitest';

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
      const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
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
