// An operator writes a policy, reads its mistakes and its impact, and activates it. The tests use their own demo, because the other
// tests need the built-in policy.
import { expect, test } from '@playwright/test';
import { start } from '../service.mjs';
import { inOrder, reach, signIn } from './support.mjs';

const PAGE = '/settings/policy';
const TWO_TEAMS = `# Two teams decide about packages together.
[[decide]]
name = "Both teams"
where = [{ at = "/children", at_least = 2 }]
groups = [
  { name = "Payments", teams = ["payments"] },
  { name = "Checkout", teams = ["checkout"], approvals = 2 },
]

[[decide]]
name = "Anybody who may"
groups = [{ name = "Reviewers", roles = ["reviewer", "lead"] }]

[separation]
caller_may_decide = false
approver_may_execute = false
pruner_may_decide = false
`;
const WRONG = TWO_TEAMS.replace('at_least = 2', 'at_most = 2');
const NO_TEAM = TWO_TEAMS.replace('["checkout"]', '["chekout"]');

const button = (page, name) => page.getByRole('button', { name, exact: true });
const text = (page) => page.getByLabel('Policy (TOML)');
const part = (page, name) => page.getByRole('region', { name });
const today = (page) => page.locator('.policy-head p');

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? 'a policy' : 'a policy without JavaScript', () => {
    test.describe.configure({ mode: 'serial' });
    test.use({ javaScriptEnabled });
    let service;

    test.beforeAll(async () => {
      // This demo is always on SQLite, even if the shared demo is on PostgreSQL.
      service = await start({ ...process.env, LOOPIQ_DATABASE_URL: undefined });
    });
    test.afterAll(() => service?.stop());

    const operator = (page) => signIn(page, 'operator@acme.example', PAGE, service.url);

    test('a mistake is named by line and field, and changes nothing', async ({ page }) => {
      await operator(page);
      await expect(today(page)).toContainText('Version 1 is active');
      for (const name of ['Check', 'Activate']) {
        await text(page).fill(WRONG);
        await button(page, name).click();
        const alert = page.getByRole('alert').filter({ hasText: 'error' });
        await expect(alert).toContainText('line 4, decide[0].where[0]');
        await expect(alert).toContainText('at_most');
        await expect(text(page)).toHaveValue(WRONG);
        await expect(today(page)).toContainText('Version 1 is active');
      }
      await text(page).fill(NO_TEAM);
      await button(page, 'Check').click();
      await expect(page.getByRole('alert')).toContainText('group "Checkout": unknown team "chekout"');
      // The draft is kept while the operator opens another page.
      await page.getByRole('link', { name: 'Inbox' }).click();
      await page.getByRole('link', { name: 'Policy', exact: true }).click();
      await expect(text(page)).toHaveValue(NO_TEAM);
      expect(page.url()).toBe(service.url + PAGE);
    });

    test('a policy is checked, activated and compared', async ({ page, browser }) => {
      await operator(page);
      await text(page).fill(TWO_TEAMS);
      await page.getByLabel('Reason for this change').fill('Packages concern both teams.');
      await button(page, 'Check').click();
      await expect(part(page, 'Valid')).toContainText('Notes');
      const difference = part(page, 'Compare v1 and the draft');
      await expect(difference.locator('.added').filter({ hasText: 'Both teams' })).toContainText('+');
      await expect(difference.locator('.removed').filter({ hasText: 'One reviewer or lead' })).toContainText('-');
      const effects = part(page, 'Effects in the last 30 days');
      await expect(effects).toContainText(/\d+ actions checked: \d+ would have been different/);
      await expect(effects).toContainText('"Both teams"');
      const href = await effects.getByRole('link').first().getAttribute('href');
      expect(href).toMatch(/^\/actions\/act_/);
      await expect(today(page)).toContainText('Version 1 is active');

      await button(page, 'Activate').click();
      await expect(page.getByRole('status')).toHaveText('Version 2 is now active.');
      await expect(today(page)).toContainText('Version 2 is active, activated by Olga Operator');
      await expect(text(page)).toHaveValue(TWO_TEAMS);
      await expect(button(page, 'Discard draft')).toHaveCount(0);
      const row = page.getByRole('row').filter({ hasText: 'Version 2' });
      await expect(row).toContainText('Packages concern both teams.');
      await row.getByRole('link', { name: 'Compare v1 and v2' }).click();
      await expect(part(page, 'Compare v1 and v2').locator('.added').filter({ hasText: 'Checkout' })).toHaveCount(1);
      await page.getByRole('link', { name: 'Version 1' }).click();
      await expect(text(page)).toHaveValue(/One reviewer or lead/);

      // The new policy applies to pending actions.
      const reviewer = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await signIn(reviewer, 'reviewer@acme.example', href, service.url);
      await expect(reviewer.locator('.approvals')).toContainText('Needs 2 approvals from Checkout');
      await reviewer.context().close();
    });

    test('the second of two operators is told of the newer version and keeps the draft', async ({ page, browser }) => {
      await operator(page);
      const other = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await operator(other);
      await other.getByLabel('Policy (TOML)').fill(TWO_TEAMS.replace('# Two', '# Our two'));
      await button(other, 'Activate').click();
      await expect(other.getByRole('status')).toHaveText('Version 3 is now active.');
      const mine = TWO_TEAMS.replace('at_least = 2', 'at_least = 3');
      await text(page).fill(mine);
      await button(page, 'Activate').click();
      await expect(page.getByRole('alert')).toContainText('Nothing was changed: version 3 was activated');
      await expect(text(page)).toHaveValue(mine);
      await expect(page.getByText('You started from version 2; version 3')).toBeVisible();
      await button(page, 'Discard draft').click();
      await expect(text(page)).toHaveValue(/Our two/);
      await other.context().close();
    });

    test('other roles read the policy', async ({ page }) => {
      await signIn(page, 'reviewer@acme.example', '/', service.url);
      await page.getByRole('link', { name: 'Policy', exact: true }).click();
      await expect(today(page)).toContainText('Version 3 is active');
      await expect(page.locator('pre')).toContainText('name = "Both teams"');
      await expect(page.locator('textarea, input')).toHaveCount(0);
      await expect(page.getByRole('button', { name: /Check|Activate/ })).toHaveCount(0);
      await page.getByRole('link', { name: 'Compare v1 and v2' }).click();
      await expect(part(page, 'Compare v1 and v2')).toBeVisible();
    });

    test('the keyboard alone is enough, and a policy that loosens needs a second operator', async ({ page, browser }) => {
      await operator(page);
      await reach(page, text(page));
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.insertText('[expiry_hours]\nhigh = 0\n');
      await reach(page, button(page, 'Check'));
      await page.keyboard.press('Enter');
      const alert = page.getByRole('alert');
      await expect(alert).toContainText('line 2, expiry_hours.high');
      await expect(alert).toBeFocused();
      await reach(page, text(page));
      await page.keyboard.press('ControlOrMeta+a');
      await page.keyboard.insertText('[expiry_hours]\nhigh = 12\n');
      await reach(page, button(page, 'Activate'));
      await page.keyboard.press('Enter');
      // The new policy no longer requires the two teams.
      await expect(page.getByRole('status')).toContainText('waiting for a second operator');
      await expect(today(page)).toContainText('Version 3 is active');
      await expect(page.getByText(/Request req_\w+ for a new policy is waiting/)).toBeVisible();
      await page.getByRole('link', { name: 'Requests', exact: true }).click();
      await expect(page.getByText('another operator has to confirm it')).toBeVisible();
      await expect(button(page, 'Confirm')).toHaveCount(0);

      const other = await (await browser.newContext({ javaScriptEnabled })).newPage();
      await signIn(other, 'operator2@acme.example', '/settings/requests', service.url);
      const request = other.locator('.request');
      await expect(request).toContainText('made by Olga Operator');
      await expect(request.locator('.loosens')).toContainText('where "Both teams" decided until now');
      await expect(request.locator('.added').filter({ hasText: 'high = 12' })).toHaveCount(1);
      await reach(other, button(other, 'Confirm'));
      await other.keyboard.press('Enter');
      await expect(other.getByRole('status')).toHaveText('Policy version 4 is now active.');
      await expect(other.getByRole('row').filter({ hasText: 'Confirmed' })).toContainText('Otto Operator');
      await other.context().close();

      await page.goto(service.url + PAGE);
      await expect(today(page)).toContainText('Version 4 is active');
      await reach(page, page.getByRole('link', { name: 'Compare v3 and v4' }));
      await page.keyboard.press('Enter');
      await expect(part(page, 'Compare v3 and v4')).toContainText('high = 12');
    });

    if (!javaScriptEnabled) return;
    for (const colorScheme of ['light', 'dark']) {
      for (const width of [360, 1600]) {
        test(`the pages are accessible and fit: ${colorScheme}, ${width} px`, async ({ browser }) => {
          const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, reducedMotion: 'reduce' });
          const page = await context.newPage();
          const errors = [];
          page.on('pageerror', (error) => errors.push(error.message));
          page.on('console', (line) => line.type() === 'error' && errors.push(line.text()));
          await operator(page);
          await inOrder(page, 'active');
          for (const [name, source] of [['wrong', WRONG], ['checked', TWO_TEAMS]]) {
            await text(page).fill(source);
            await button(page, 'Check').click();
            await expect(page.getByRole('heading', { name: name === 'wrong' ? '1 error in the draft' : 'Valid' })).toBeVisible();
            await inOrder(page, name);
          }
          await page.goto(`${service.url}${PAGE}?version=2&compare=1`);
          await inOrder(page, 'compared');
          // A pending request, and the history of requests.
          await page.goto(`${service.url}${PAGE}`);
          await text(page).fill(`[evidence]\nmax_age_days = ${width}\n`);
          await button(page, 'Activate').click();
          await expect(page.getByRole('status')).toContainText('waiting for a second operator');
          await inOrder(page, 'waiting');
          const second = await (await browser.newContext({ colorScheme, viewport: { width, height: 900 } })).newPage();
          await signIn(second, 'operator2@acme.example', '/settings/requests', service.url);
          await inOrder(second, 'requests');
          await second.getByLabel('Reason for declining').first().fill('Not so long.');
          await button(second, 'Decline').first().click();
          await expect(second.getByRole('status')).toContainText('Declined: Not so long.');
          await second.context().close();
          await context.close();
          const reader = await (await browser.newContext({ colorScheme, viewport: { width, height: 900 } })).newPage();
          await signIn(reader, 'auditor@acme.example', PAGE, service.url);
          await inOrder(reader, 'read');
          await reader.context().close();
          expect(errors).toEqual([]);
        });
      }
    }
  });
}
