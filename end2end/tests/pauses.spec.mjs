// An operator pauses agents while a reviewer has an action open: it can be rejected, and not approved, with and without JavaScript.
import { expect, test } from '@playwright/test';
import { start } from '../service.mjs';
import { inOrder, reach, signIn } from './support.mjs';

const WHY = 'Duplicates since noon, see https://tracker.example/browse/INC-1234567890-a-long-address-of-an-incident-without-any-space';

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'with JavaScript' : 'without JavaScript', () => {
    test.use({ javaScriptEnabled });
    let service;

    test.beforeAll(async () => {
      service = await start({ ...process.env, LOOPIQ_DATABASE_URL: undefined });
    });
    test.afterAll(() => service?.stop());

    test('a pause stops an approval on a page that was opened before', async ({ browser }) => {
      const page = async (email, path, width = 1440) => {
        const context = await browser.newContext({ javaScriptEnabled, viewport: { width, height: 900 } });
        const opened = await context.newPage();
        await signIn(opened, email, path, service.url);
        return opened;
      };
      const reviewer = await page('reviewer@acme.example', '/?tab=mine&verdict=pass');
      const action = await reviewer.locator('a[href^="/actions/"]').first().getAttribute('href');
      await reviewer.goto(service.url + action);
      await expect(reviewer.getByRole('button', { name: 'Approve', exact: true })).toBeVisible();

      // The lead pauses with the keyboard alone.
      const lead = await page('lead@acme.example', '/settings/pauses');
      await reach(lead, lead.getByLabel('Why'));
      await lead.keyboard.type(WHY);
      await reach(lead, lead.getByRole('button', { name: 'Pause', exact: true }));
      await lead.keyboard.press('Enter');
      await expect(lead.getByRole('status')).toContainText('All agents are paused');
      await expect(lead.getByRole('button', { name: 'Resume' })).toHaveCount(0);

      for (const box of await reviewer.locator('.acknowledge input').all()) await box.check();
      await reviewer.getByRole('button', { name: 'Approve', exact: true }).click();
      await expect(reviewer.getByRole('alert').filter({ hasText: 'Nothing was done' })).toContainText('All agents are paused since');
      await reviewer.goto(service.url + action);
      await expect(reviewer.getByRole('button', { name: 'Approve', exact: true })).toHaveCount(0);
      await expect(reviewer.locator('.why-not')).toContainText('It can be rejected now.');

      // What everybody sees, on a phone and on a wide screen. The measurement needs scripts.
      for (const width of javaScriptEnabled ? [360, 1440] : []) {
        const narrow = await page('reviewer2@acme.example', '/', width);
        await expect(narrow.getByText('Duplicates since noon')).toBeVisible();
        for (const path of ['/', action, '/settings/pauses']) {
          await narrow.goto(service.url + path);
          await inOrder(narrow, `${path} at ${width}`);
        }
      }

      const operator = await page('operator@acme.example', '/settings/pauses', 360);
      await operator.getByRole('button', { name: 'Resume: All agents' }).click();
      await expect(operator.getByRole('status')).toContainText('All agents work again.');
      await reviewer.goto(service.url + action);
      await expect(reviewer.getByRole('button', { name: 'Approve', exact: true })).toBeVisible();
    });
  });
}
