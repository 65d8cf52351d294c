// The copy buttons copy the text that the page shows next to them.
import { expect, test } from '@playwright/test';
import { alive, signIn, url } from './support.mjs';

test('a copy button copies a short text and a block as they are shown', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: url() });
  await signIn(page, 'lead@acme.example', '/audit/1');
  await alive(page);
  for (const place of ['.copy-text', '.code-block']) {
    const whole = page.locator(place).first();
    await whole.getByRole('button', { name: /^Copy/ }).click();
    await expect(whole.getByRole('button', { name: /^Copied/ })).toBeVisible();
    const shown = await whole.locator('code').textContent();
    expect(shown.length).toBeGreaterThan(20);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(shown);
  }
});
