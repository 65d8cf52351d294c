// Every page, in the widths of a phone and a desktop, light and dark: no axe violation, no horizontal scrolling, no error in the console.
import { expect, test } from '@playwright/test';
import { inOrder, signIn, url } from './support.mjs';

for (const colorScheme of ['light', 'dark']) {
  for (const width of [360, 1600]) {
    test(`pages are accessible and fit: ${colorScheme}, ${width} px`, async ({ browser }) => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });
      const page = await context.newPage();
      const errors = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (line) => {
        if (line.type() === 'error' && !line.text().includes('status of 404')) errors.push(line.text());
      });
      await page.goto(url());
      await inOrder(page, 'sign-in');
      await signIn(page, 'lead@acme.example');
      const paths = ['/', '/?tab=all', '/?tab=failed', '/?text=nothing-has-this-word', '/audit', '/audit?q=perso%3Arita', '/audit/1', '/settings/policy', '/settings/catalog', '/settings/access', '/nowhere'];
      for (const tab of ['pending', 'approved', 'executed', 'rejected', 'failed']) {
        await page.goto(`${url()}/?tab=${tab}`);
        paths.push(await page.locator('.rows a').first().getAttribute('href'));
      }
      for (const path of paths) {
        await page.goto(url() + path);
        await inOrder(page, path);
      }
      expect(errors).toEqual([]);
      await context.close();
    });
  }
}
